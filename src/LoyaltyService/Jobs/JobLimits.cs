namespace LoyaltyService.Jobs;

/// <summary>The limits and windows of the jobs.</summary>
internal sealed class JobLimits
{
    /// <summary>Whether this replica runs due jobs. Manual runs are not affected.</summary>
    public bool BySchedule { get; init; } = true;

    /// <summary>How often a replica checks for due jobs; the finest schedule is a quarter of an hour.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a run belongs to its replica after each batch; a batch takes at most one statement's 10 s.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a run stores its progress; the lease is thirty times as long.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a run may fail before it waits for its next occurrence; a takeover is not a failure …</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>… and the pause between two attempts.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The most rows that one statement reads. At 1,000 sessions it holds its locks for 30 to 100 ms.</summary>
    public int BatchSize { get; init; } = 1000;

    /// <summary>
    /// How long the database runs batch after batch, each committed, before it returns: far shorter than the 10 s of a statement, so that one more batch fits, and
    /// than the lease.
    /// </summary>
    public TimeSpan BatchesFor { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Each run of the expiry starts this far before the previous one, for sessions that were uncommitted, or locked by a finalize, when it passed.
    /// </summary>
    public TimeSpan ExpireOverlap { get; init; } = TimeSpan.FromHours(1);

    /// <summary>brief: archive after 30 days (ARCHIVE_AFTER_DAYS).</summary>
    public TimeSpan ArchiveAfter { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long ended runs are kept, for operators.</summary>
    public TimeSpan KeepRuns { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long the audit is kept: a year, and a month to review it.</summary>
    public TimeSpan KeepAudit { get; init; } = TimeSpan.FromDays(400);

    /// <summary>Sessions a second that the reconciliation checks at PDI: 1.7 million a day, a negligible load for PDI.</summary>
    public int ReconcilePerSecond { get; init; } = 20;

    /// <summary>How many days back a missed reconciliation is caught up.</summary>
    public int ReconcileDaysBack { get; init; } = 7;

    /// <summary>
    /// How long after its expiry a session may still be finalized and found by its day's reconciliation: an item is parked after 24 h, and
    /// an operator has two days to replay it.
    /// </summary>
    public TimeSpan ReconcileLate { get; init; } = TimeSpan.FromDays(3);
}
