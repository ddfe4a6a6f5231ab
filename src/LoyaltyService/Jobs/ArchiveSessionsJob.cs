using LoyaltyService.Sessions;

namespace LoyaltyService.Jobs;

/// <summary>
/// brief: daily at 2 AM UTC, move sessions that were closed 30 days ago to the archive. Each run walks from the oldest one that is left:
/// what the runs before have moved is not there any more, and what they passed over, as it was open or closed within 30 days, is what was
/// created 30 days ago and not closed on that day. Only where SESSION_TTL_HOURS is longer than the 30 days is it more, all that is open for longer.
/// </summary>
internal sealed class ArchiveSessionsJob(ISessionUpkeep upkeep, JobLimits limits) : IJob
{
    public string Name => "archive-sessions";

    public string Schedule => "0 2 * * *";

    public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var until = run.StartedAt - limits.ArchiveAfter;
        var from = WalkPosition.Parse(run.Progress) ?? WalkPosition.Start;
        // One batch at first, so that its report comes before another one can go wrong.
        var time = TimeSpan.Zero;
        while (await upkeep.ArchiveAsync(from, until, limits.BatchSize, time, cancellationToken) is { Reached: { } reached } batch)
        {
            await run.ReportAsync(batch.Changed, reached.ToString(), cancellationToken);
            (from, time) = (reached, limits.BatchesFor);
        }
    }
}
