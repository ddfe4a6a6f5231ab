using LoyaltyService.Sessions;

namespace LoyaltyService.Jobs;

/// <summary>
/// brief: every 15 minutes, mark expired sessions as failed, soft delete. Walks along the expiry times from where the last successful run began, so a run costs
/// only what has become due since.
/// </summary>
internal sealed class ExpireSessionsJob(ISessionUpkeep upkeep, IJobRunStore runs, JobLimits limits, SessionMetrics metrics) : IJob
{
    public string Name => "expire-sessions";

    public string Schedule => "*/15 * * * *";

    public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var from = WalkPosition.Parse(run.Progress)
            ?? new WalkPosition((await runs.LastDoneAsync(Name, cancellationToken) ?? DateTimeOffset.UnixEpoch + limits.ExpireOverlap) - limits.ExpireOverlap);
        // One batch first, so that its report is written before another one can fail.
        var time = TimeSpan.Zero;
        while (await upkeep.ExpireAsync(from, run.StartedAt, limits.BatchSize, time, cancellationToken) is { Reached: { } reached } batch)
        {
            metrics.SessionsExpired(batch.Changed);
            await run.ReportAsync(batch.Changed, reached.ToString(), cancellationToken);
            (from, time) = (reached, limits.BatchesFor);
        }
    }
}
