namespace LoyaltyService.Jobs;

/// <summary>The bounds and windows of the jobs.</summary>
internal sealed class JobLimits
{
    /// <summary>Whether this replica runs what is due; what an operator asks for it runs in any case.</summary>
    public bool BySchedule { get; init; } = true;

    /// <summary>How often a replica looks whether a job is due; the finest schedule is a quarter of an hour.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a run belongs to its replica after each batch; a batch takes at most one statement's 10 s.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a run writes down how far it is; the lease is thirty times as long.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a run may fail before it counts as failed and waits for its next occurrence; to be taken over is no failure …</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>… and the pause between two tries.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Rows that one statement looks at, at most. At 1,000 sessions it holds its locks for 30 to 100 ms.</summary>
    public int BatchSize { get; init; } = 1000;

    /// <summary>
    /// How long the database goes on with batch after batch, each committed, before it answers: far shorter than the 10 s of a statement, so that one
    /// more batch has time, and than the lease.
    /// </summary>
    public TimeSpan BatchesFor { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Each run of the expiry goes back this far behind the one before, for what was not committed yet, or held by a finalize, when that
    /// one passed by.
    /// </summary>
    public TimeSpan ExpireOverlap { get; init; } = TimeSpan.FromHours(1);

    /// <summary>brief: archive after 30 days (ARCHIVE_AFTER_DAYS).</summary>
    public TimeSpan ArchiveAfter { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long ended runs are kept, for operators.</summary>
    public TimeSpan KeepRuns { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long the audit is kept: a year, and a month to look back on it.</summary>
    public TimeSpan KeepAudit { get; init; } = TimeSpan.FromDays(400);

    /// <summary>Sessions that the reconciliation asks PDI about in a second: 1.7 million a day, and no load to speak of for PDI.</summary>
    public int ReconcilePerSecond { get; init; } = 20;

    /// <summary>How many days back a missed reconciliation is made up for.</summary>
    public int ReconcileDaysBack { get; init; } = 7;

    /// <summary>
    /// How long after its expiry a session may still be finalized and found by its day's reconciliation: an item is parked after 24 h, and
    /// an operator has two days to replay it.
    /// </summary>
    public TimeSpan ReconcileLate { get; init; } = TimeSpan.FromDays(3);
}
