using LoyaltyService.Idempotency;
using LoyaltyService.Security;

namespace LoyaltyService.Jobs;

/// <summary>brief: every hour, remove idempotency entries older than 10 minutes. Old runs and audit rows are deleted too.</summary>
internal sealed class ClearCacheJob(IIdempotencyKeyStore keys, IReplayCache replays, IJobRunStore runs, IAuditStore audit, JobLimits limits) : IJob
{
    public string Name => "clear-cache";

    public string Schedule => "0 * * * *";

    public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        while (await keys.ForgetAsync(IReplayCache.Window, limits.BatchSize, cancellationToken) is > 0 and var forgotten)
            await run.ReportAsync(forgotten, progress: null, cancellationToken);
        while (await audit.ForgetAsync(limits.KeepAudit, limits.BatchSize, cancellationToken) is > 0 and var old)
            await run.ReportAsync(old, progress: null, cancellationToken);
        await runs.ForgetAsync(limits.KeepRuns, cancellationToken);
        // Last, because it scans every key in Redis: after a takeover the rest is already done.
        await replays.SweepAsync(swept => run.ReportAsync(swept, progress: null, cancellationToken), cancellationToken);
    }
}
