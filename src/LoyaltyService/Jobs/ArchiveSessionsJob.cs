using LoyaltyService.Sessions;

namespace LoyaltyService.Jobs;

/// <summary>
/// brief: daily at 2 AM UTC, move sessions that were closed 30 days ago to the archive. Each run walks from the oldest remaining session: earlier runs have
/// moved the rest, so it meets what was created 30 days ago, and what stayed open for long if SESSION_TTL_HOURS allows it.
/// </summary>
internal sealed class ArchiveSessionsJob(ISessionUpkeep upkeep, JobLimits limits) : IJob
{
    public string Name => "archive-sessions";

    public string Schedule => "0 2 * * *";

    public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var until = run.StartedAt - limits.ArchiveAfter;
        var from = WalkPosition.Parse(run.Progress) ?? WalkPosition.Start;
        // One batch first, so that its report is written before another one can fail.
        var time = TimeSpan.Zero;
        while (await upkeep.ArchiveAsync(from, until, limits.BatchSize, time, cancellationToken) is { Reached: { } reached } batch)
        {
            await run.ReportAsync(batch.Changed, reached.ToString(), cancellationToken);
            (from, time) = (reached, limits.BatchesFor);
        }
    }
}
