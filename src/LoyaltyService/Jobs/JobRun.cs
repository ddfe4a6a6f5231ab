using LoyaltyService.Configuration;

namespace LoyaltyService.Jobs;

/// <summary>
/// One run of a job, held by this replica until its lease runs out; its reports renew the lease. They are written every few seconds and not
/// with each batch, since each would cost as much as a batch's own commit; what was not written yet is done again by whoever takes over.
/// </summary>
internal sealed class JobRun(IJobRunStore runs, JobLimits limits, TimeProvider clock, JobRunRow row)
{
    private long? writtenAt;
    private long unwritten;

    public JobRunRow Row { get; } = row;

    /// <summary>When the run began, by the database's clock; what is due is due by then.</summary>
    public DateTimeOffset StartedAt => Row.StartedAt;

    /// <summary>What the last report said, also of an earlier holder of this run.</summary>
    public string? Progress { get; private set; } = row.Progress;

    public long Handled { get; private set; } = row.Handled;

    /// <param name="handled">How many more were done.</param>
    /// <param name="progress">Where a replica that takes over goes on.</param>
    /// <exception cref="JobTakenOverException">It already has.</exception>
    public async Task ReportAsync(long handled, string? progress, CancellationToken cancellationToken)
    {
        Handled += handled;
        unwritten += handled;
        Progress = progress;
        // The first one at once: what makes a replica die at its first batch shall not make the next one do that batch again.
        var isDue = writtenAt is not { } at || clock.GetElapsedTime(at) >= limits.ReportEvery;
        if (isDue && !await TryWriteAsync(cancellationToken))
            throw new JobTakenOverException();
        Failpoint.Hit($"job.{Row.Job}.reported");
    }

    /// <summary>Writes what was reported last; false if another replica has taken the run over.</summary>
    public async Task<bool> TryWriteAsync(CancellationToken cancellationToken)
    {
        var written = await runs.ReportAsync(Row, unwritten, Progress, limits.Lease, cancellationToken);
        unwritten = written ? 0 : unwritten;
        writtenAt = clock.GetTimestamp();
        return written;
    }
}
