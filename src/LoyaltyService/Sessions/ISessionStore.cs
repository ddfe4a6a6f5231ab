namespace LoyaltyService.Sessions;

/// <summary>
/// Where sessions live: PostgreSQL in production, one SQLite file in the embedded default. Both are held to the same contract
/// tests. Times are the database's; every change is one transaction that also writes the timeline.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISessionStore
{
    /// <summary>
    /// Creates the session of a sale; or returns the one that the sale has already. The database's unique key decides who was first.
    /// </summary>
    /// <param name="busyFor">How long the creator has to ask PDI; null if nobody asks, and the session waits for PDI from the start.</param>
    Task<(Session Session, bool Created)> CreateAsync(Session session, TimeSpan lifetime, TimeSpan? busyFor, CancellationToken cancellationToken);

    Task<Session?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>A client's own session; one of another client is found as little, and as slowly, as one that is not there.</summary>
    Task<Session?> FindAsync(Guid id, string client, CancellationToken cancellationToken);

    /// <summary>
    /// Applies a change if the row still has the version and status that it was decided on, and returns the session as it is now;
    /// null if the session has moved on, if work that shall be abandoned is not parked any more, or if work that shall be withdrawn is not
    /// its request's own any more.
    /// </summary>
    Task<Session?> SaveAsync(SessionChange change, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a pending session that nobody works on, for <paramref name="busyFor"/>; false if somebody does, or if it has moved on.
    /// Not a transition: the version stays.
    /// </summary>
    Task<bool> TryClaimAsync(Session session, TimeSpan busyFor, CancellationToken cancellationToken);

    /// <summary>Gives a claimed session back, so that the next caller need not wait for the claim to run out.</summary>
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
