namespace LoyaltyService.Jobs;

/// <summary>One run of a job, held by this replica until its lease runs out; each report renews it.</summary>
internal sealed class JobRun(IJobRunStore runs, JobLimits limits, JobRunRow row)
{
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
        if (!await runs.ReportAsync(Row, handled, progress, limits.Lease, cancellationToken))
            throw new JobTakenOverException();
        Failpoint.Hit($"job.{Row.Job}.reported");
        Handled += handled;
        Progress = progress;
    }
}
