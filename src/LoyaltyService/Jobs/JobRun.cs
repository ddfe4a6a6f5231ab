using LoyaltyService.Configuration;

namespace LoyaltyService.Jobs;

/// <summary>
/// One run of a job, held by this replica until its lease expires; reports renew the lease. They are written every few seconds, not with each batch, because
/// each costs as much as a batch's own commit. After a takeover, unreported batches are done again.
/// </summary>
internal sealed class JobRun(IJobRunStore runs, JobLimits limits, TimeProvider clock, JobRunRow row)
{
    private long? writtenAt;
    private long unwritten;

    public JobRunRow Row { get; } = row;

    /// <summary>The start of the run, by the database's clock: whatever is due by then is part of it.</summary>
    public DateTimeOffset StartedAt => Row.StartedAt;

    /// <summary>The last report, possibly of an earlier holder of this run.</summary>
    public string? Progress { get; private set; } = row.Progress;

    public long Handled { get; private set; } = row.Handled;

    /// <param name="handled">How many more items were handled.</param>
    /// <param name="progress">Where a replica that takes over continues.</param>
    /// <exception cref="JobTakenOverException">Another replica already has.</exception>
    public async Task ReportAsync(long handled, string? progress, CancellationToken cancellationToken)
    {
        Handled += handled;
        unwritten += handled;
        Progress = progress;
        // The first report is written at once: a batch that kills its replica must not kill the next one with the same batch.
        var isDue = writtenAt is not { } at || clock.GetElapsedTime(at) >= limits.ReportEvery;
        if (isDue && !await TryWriteAsync(cancellationToken))
            throw new JobTakenOverException();
        Failpoint.Hit($"job.{Row.Job}.reported");
    }

    /// <summary>Stores the last report; false if another replica has taken the run over.</summary>
    public async Task<bool> TryWriteAsync(CancellationToken cancellationToken)
    {
        var written = await runs.ReportAsync(Row, unwritten, Progress, limits.Lease, cancellationToken);
        unwritten = written ? 0 : unwritten;
        writtenAt = clock.GetTimestamp();
        return written;
    }
}
