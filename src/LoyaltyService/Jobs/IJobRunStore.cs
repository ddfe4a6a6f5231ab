using LoyaltyService.Security;

namespace LoyaltyService.Jobs;

/// <summary>
/// The runs of the jobs, shared by all replicas: PostgreSQL or SQLite, held to the same contract tests. All times are the database's.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IJobRunStore
{
    /// <summary>The error of a run that nobody went on with before the next one began, which does all that there is to do.</summary>
    const string Superseded = "Nobody went on with it before the next run.";

    /// <summary>The error of a run by hand whose process was stopped: whoever asked for it sees so, and asks again.</summary>
    const string Interrupted = "The process that ran it was stopped. A run by hand is not gone on with; the next run does all that is left.";

    /// <summary>What time it is, and how the job's latest scheduled run stands.</summary>
    Task<JobClock> LookAsync(string job, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a run: a new one, or one whose holder has let its lease run out. Null if the run has ended, or if any run of the job is held.
    /// Other runs that nobody holds have failed thereby.
    /// </summary>
    Task<JobRunRow?> ClaimAsync(string job, DateTimeOffset scheduledFor, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Takes a run by hand, now, with the audit; null if any run of the job is held.</summary>
    Task<JobRunRow?> ClaimByHandAsync(string job, TimeSpan lease, AuditEntry audit, CancellationToken cancellationToken);

    /// <summary>Renews the lease and notes how far the run is; false if another has taken it over.</summary>
    Task<bool> ReportAsync(JobRunRow run, long handled, string? progress, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Ends the run; false if another has taken it over.</summary>
    Task<bool> EndAsync(JobRunRow run, bool done, string? error, CancellationToken cancellationToken);

    /// <summary>Lets the run go, for whoever comes first after the pause. With an error the next one is another try; without, it goes on with this one.</summary>
    Task<bool> LetGoAsync(JobRunRow run, TimeSpan pause, string? error, CancellationToken cancellationToken);

    /// <summary>The latest runs of a job, the latest first.</summary>
    Task<IReadOnlyList<JobRunRow>> LatestAsync(string job, int limit, CancellationToken cancellationToken);

    /// <summary>When the job's last run that ended well was due; null if none has.</summary>
    Task<DateTimeOffset?> LastDoneAsync(string job, CancellationToken cancellationToken);

    /// <summary>Forgets runs that ended longer ago than <paramref name="keep"/>; the last one that ended well stays.</summary>
    Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken);
}

/// <param name="Now">The database's time.</param>
/// <param name="Latest">The occurrence of the latest scheduled run; null if there was none.</param>
/// <param name="IsSettled">That run has ended, or somebody is at it.</param>
internal sealed record JobClock(DateTimeOffset Now, DateTimeOffset? Latest, bool IsSettled);

/// <summary>A row of <c>job_runs</c>.</summary>
internal sealed record JobRunRow(
    string Job,
    DateTimeOffset ScheduledFor,
    bool ByHand,
    DateTimeOffset StartedAt,
    int Fence,
    int Attempts,
    long Handled,
    string? Progress,
    bool IsHeld,
    DateTimeOffset? FinishedAt,
    string? Outcome,
    string? Error);
