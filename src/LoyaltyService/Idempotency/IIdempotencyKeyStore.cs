
namespace LoyaltyService.Idempotency;

/// <summary>
/// Idempotency keys with their first answers, in PostgreSQL or SQLite; both pass the same contract tests. A key is claimed for a lease on the
/// database's clock, so that it becomes free if its holder dies.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IIdempotencyKeyStore
{
    /// <summary>
    /// Claims a key that is new, whose lease has expired, or whose answer is older than <paramref name="window"/>; otherwise returns the existing
    /// one.
    /// </summary>
    Task<IdempotencyKey> ClaimAsync(Guid key, Guid fingerprint, TimeSpan lease, TimeSpan window, CancellationToken cancellationToken);

    /// <summary>Stores the first answer; false if the lease expired and another call holds the key.</summary>
    Task<bool> CompleteAsync(IdempotencyKey claim, Replay answer, CancellationToken cancellationToken);

    /// <summary>Releases the key, as if it had never been sent. Does nothing if another call holds it.</summary>
    Task ReleaseAsync(IdempotencyKey claim, CancellationToken cancellationToken);

    /// <summary>Deletes unclaimed keys older than <paramref name="window"/>, at most <paramref name="limit"/>.</summary>
    /// <returns>How many were deleted; 0 when none are left.</returns>
    Task<int> ForgetAsync(TimeSpan window, int limit, CancellationToken cancellationToken);
}

/// <summary>A key as a claim finds it.</summary>
/// <param name="Key">Of client, route and header.</param>
/// <param name="Fingerprint">Of the body that it was first used for.</param>
/// <param name="IsMine">The caller has claimed it, and must complete or release it.</param>
/// <param name="BusyUntil">When the lease ends; null once the key has its answer.</param>
/// <param name="Answer">The first answer, once there is one.</param>
internal sealed record IdempotencyKey(Guid Key, Guid Fingerprint, bool IsMine, DateTimeOffset? BusyUntil, Replay? Answer);
