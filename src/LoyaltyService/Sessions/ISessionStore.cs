namespace LoyaltyService.Sessions;

/// <summary>
/// Stores sessions: PostgreSQL in production, one SQLite file in the embedded default; both pass the same contract tests. Times come from the
/// database. Every change is one transaction that also writes the timeline.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISessionStore
{
    /// <summary>
    /// Creates the session of a sale, or returns the sale's existing session. The database's unique key decides which call was first.
    /// </summary>
    /// <param name="busyFor">How long the creator may take to call PDI; null if the session waits for PDI from the start.</param>
    Task<(Session Session, bool Created)> CreateAsync(Session session, TimeSpan lifetime, TimeSpan? busyFor, CancellationToken cancellationToken);

    Task<Session?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>A client's own session. Another client's session is indistinguishable from a missing one, timing included.</summary>
    Task<Session?> FindAsync(Guid id, string client, CancellationToken cancellationToken);

    /// <summary>
    /// Applies a change if the row still has the version and status that the change was decided on, and returns the updated session. Null if the
    /// session has changed, if work to abandon is no longer parked, or if work to withdraw no longer belongs to its request.
    /// </summary>
    Task<Session?> SaveAsync(SessionChange change, CancellationToken cancellationToken);

    /// <summary>
    /// Claims a pending session for <paramref name="busyFor"/>; false if another call holds it or the session has changed. Not a transition: the
    /// version stays.
    /// </summary>
    Task<bool> TryClaimAsync(Session session, TimeSpan busyFor, CancellationToken cancellationToken);

    /// <summary>Releases a claimed session, so that the next caller need not wait for the claim to expire.</summary>
    Task ReleaseAsync(Session session, CancellationToken cancellationToken);

    /// <summary>The session's timeline, oldest first.</summary>
    Task<IReadOnlyList<SessionEventRow>> EventsAsync(Guid id, CancellationToken cancellationToken);
}

/// <summary>One row of a session's timeline.</summary>
internal sealed record SessionEventRow(
    int Version,
    string Event,
    string Status,
    string Cause,
    DateTimeOffset At,
    decimal? Amount,
    long EarnedPoints,
    long RedeemedPoints,
    string? RewardSource,
    string? Detail,
    string? TraceId);
