using LoyaltyService.Security;

namespace LoyaltyService.Jobs;

/// <summary>
/// The runs of the jobs, shared by all replicas, in PostgreSQL or SQLite; both pass the same contract tests. All times are the database's.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IJobRunStore
{
    /// <summary>The error of an abandoned run after the next one has started, which does all the work there is.</summary>
    const string Superseded = "Nobody went on with it before the next run.";

    /// <summary>The error of a manual run whose process was stopped: the operator sees it and starts another.</summary>
    const string Interrupted = "The process that ran it was stopped. A run by hand is not gone on with; the next run does all that is left.";

    /// <summary>The database's time, and the state of the job's latest scheduled run.</summary>
    Task<JobClock> LookAsync(string job, CancellationToken cancellationToken);

    /// <summary>
    /// Claims a run: a new one, or one whose holder's lease has expired. Null if the run has ended, or if any run of the job is held. Marks other
    /// abandoned runs as failed.
    /// </summary>
    Task<JobRunRow?> ClaimAsync(string job, DateTimeOffset scheduledFor, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Starts a manual run now, with its audit entry; null if any run of the job is held.</summary>
    Task<JobRunRow?> ClaimByHandAsync(string job, TimeSpan lease, AuditEntry audit, CancellationToken cancellationToken);

    /// <summary>Renews the lease and stores the progress; false if another replica has taken the run over.</summary>
    Task<bool> ReportAsync(JobRunRow run, long handled, string? progress, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Ends the run; false if another replica has taken it over.</summary>
    Task<bool> EndAsync(JobRunRow run, bool done, string? error, CancellationToken cancellationToken);

    /// <summary>Releases the run after the pause. With an error the next holder starts another attempt; without, it continues this one.</summary>
    Task<bool> LetGoAsync(JobRunRow run, TimeSpan pause, string? error, CancellationToken cancellationToken);

    /// <summary>The latest runs of a job, newest first.</summary>
    Task<IReadOnlyList<JobRunRow>> LatestAsync(string job, int limit, CancellationToken cancellationToken);

    /// <summary>The scheduled time of the job's last successful run; null without one.</summary>
    Task<DateTimeOffset?> LastDoneAsync(string job, CancellationToken cancellationToken);

    /// <summary>Deletes runs that ended longer ago than <paramref name="keep"/>; keeps the last successful one.</summary>
    Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken);
}

/// <param name="Now">The database's time.</param>
/// <param name="Latest">The occurrence of the latest scheduled run; null if there was none.</param>
/// <param name="IsSettled">That run has ended, or a replica holds it.</param>
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
