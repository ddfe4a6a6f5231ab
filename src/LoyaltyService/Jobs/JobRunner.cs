using System.Diagnostics;
using Cronos;
using LoyaltyService.Observability;
using LoyaltyService.Security;
using LoyaltyService.Storage;

namespace LoyaltyService.Jobs;

/// <summary>
/// Runs the jobs on schedule, by the database's clock. Every replica polls; a row in <c>job_runs</c> decides which one runs an occurrence. If that replica
/// dies, another continues from the last report once the lease has expired. After an outage, only the latest missed occurrence runs, because each does
/// all the work there is, for earlier days too.
/// </summary>
internal sealed partial class JobRunner(
    IEnumerable<IJob> jobs, IJobRunStore runs, JobLimits limits, JobMetrics metrics, TimeProvider clock, ILogger<JobRunner> logger)
    : BackgroundService
{
    private readonly List<Task> byHand = [];
    private CancellationToken stopping;

    public IReadOnlyList<IJob> Jobs { get; } = [.. jobs];

    /// <summary>The next occurrence of a job's schedule after a time.</summary>
    public static DateTimeOffset Next(IJob job, DateTimeOffset after) =>
        CronExpression.Parse(job.Schedule).GetNextOccurrence(after, TimeZoneInfo.Utc) ?? DateTimeOffset.MaxValue;

    /// <summary>Starts a manual run, with its audit entry; null if the job is running.</summary>
    public Task<JobRunRow?> ClaimByHandAsync(IJob job, AuditEntry audit, CancellationToken cancellationToken) =>
        runs.ClaimByHandAsync(job.Name, limits.Lease, audit, cancellationToken);

    /// <summary>Continues a manual run after its caller is gone; the host waits for it at shutdown.</summary>
    public void Continue(IJob job, JobRunRow row)
    {
        lock (byHand)
        {
            byHand.RemoveAll(task => task.IsCompleted);
            byHand.Add(RunAsync(job, row, stopping));
        }
    }

    /// <summary>Runs a claimed run to its end.</summary>
    /// <returns>Whether it succeeded.</returns>
    public async Task<bool> RunAsync(IJob job, JobRunRow row, CancellationToken cancellationToken)
    {
        using var span = Tracing.StartWork("job " + job.Name, row.ByHand ? Tracing.Here : default);
        var started = clock.GetTimestamp();
        var run = new JobRun(runs, limits, clock, row);
        try
        {
            await job.RunAsync(run, cancellationToken);
            if (!await run.TryWriteAsync(CancellationToken.None))
                throw new JobTakenOverException();
            await runs.EndAsync(row, done: true, error: null, CancellationToken.None);
            Log.JobDone(logger, job.Name, run.Handled, (long)clock.GetElapsedTime(started).TotalMilliseconds);
            metrics.JobEnded(job, succeeded: true);
            return true;
        }
        catch (JobTakenOverException)
        {
            Log.JobTakenOver(logger, job.Name);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // This replica is stopping; another one continues at once, unless the run is manual.
            await run.TryWriteAsync(CancellationToken.None);
            if (row.ByHand)
                await runs.EndAsync(row, done: false, IJobRunStore.Interrupted, CancellationToken.None);
            else
                await runs.LetGoAsync(row, TimeSpan.Zero, error: null, CancellationToken.None);
        }
        catch (Exception failed)
        {
            // A failed job must end neither the service nor the next occurrence. It is retried a bounded number of times.
            Log.JobFailed(logger, job.Name, row.Attempts, failed);
            metrics.JobEnded(job, succeeded: false);
            span.SetStatus(ActivityStatusCode.Error, failed.Message);
            await FailAsync(row, ErrorText.Of(failed));
        }

        return false;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        stopping = stoppingToken;
        await Task.WhenAll(limits.BySchedule
            ? Jobs.Select(job => LoopAsync(job, stoppingToken))
            : [Task.Delay(Timeout.InfiniteTimeSpan, clock, stoppingToken).ContinueWith(static _ => { }, TaskScheduler.Default)]);
        Task[] rest;
        lock (byHand)
            rest = [.. byHand];
        await Task.WhenAll(rest);
    }

    private async Task LoopAsync(IJob job, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await ClaimDueAsync(job, stoppingToken) is { } row)
                    await RunAsync(job, row, stoppingToken);
                await Task.Delay(limits.Poll, clock, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                // No exception may end the service or later jobs.
                TellLookFailed(job.Name, failed);
                await Task.Delay(limits.Poll, clock, CancellationToken.None).WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>The job's latest occurrence, unless it has run or is running.</summary>
    internal async Task<JobRunRow?> ClaimDueAsync(IJob job, CancellationToken cancellationToken)
    {
        var look = await runs.LookAsync(job.Name, cancellationToken);
        var occurrence = Last(job, look.Now);
        return look.Latest >= occurrence && look.IsSettled
            ? null
            : await runs.ClaimAsync(job.Name, occurrence, limits.Lease, cancellationToken);
    }

    /// <summary>The latest occurrence up to a time. The rarest schedule is daily.</summary>
    private static DateTimeOffset Last(IJob job, DateTimeOffset now) =>
        CronExpression.Parse(job.Schedule).GetOccurrences(now.AddDays(-2), now, TimeZoneInfo.Utc, toInclusive: true).Last();

    private async Task FailAsync(JobRunRow row, string error)
    {
        try
        {
            if (row.Attempts < limits.MaxAttempts && !row.ByHand)
                await runs.LetGoAsync(row, limits.RetryPause, error, CancellationToken.None);
            else
                await runs.EndAsync(row, done: false, error, CancellationToken.None);
        }
        catch (Exception failed)
        {
            // The lease expires, and the run is retried.
            TellLookFailed(row.Job, failed);
        }
    }

    private void TellLookFailed(string job, Exception failed)
    {
        if (failed is DatabaseUnavailableException or OverloadedException)
            Log.LookFailed(logger, job, failed.Message);
        else
            Log.LookBroke(logger, job, failed);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "JobDone", Level = LogLevel.Information, Message = "Job done: {job} handled {handled} in {duration} ms")]
        public static partial void JobDone(ILogger logger, string job, long handled, long duration);

        [LoggerMessage(EventName = "JobFailed", Level = LogLevel.Error, Message = "Job failed: {job}, try {attempt}")]
        public static partial void JobFailed(ILogger logger, string job, int attempt, Exception exception);

        [LoggerMessage(EventName = "JobTakenOver", Level = LogLevel.Warning, Message = "Job taken over by another replica: {job}. This one was away for longer than its lease")]
        public static partial void JobTakenOver(ILogger logger, string job);

        [LoggerMessage(EventName = "JobLookFailed", Level = LogLevel.Warning, Message = "The job {job} could not use the database: {reason}")]
        public static partial void LookFailed(ILogger logger, string job, string reason);

        [LoggerMessage(EventName = "JobLookBroke", Level = LogLevel.Error, Message = "Defect while looking after the job {job}, which is looked after again")]
        public static partial void LookBroke(ILogger logger, string job, Exception exception);
    }
}
