
namespace LoyaltyService.Idempotency;

/// <summary>
/// Who was first with an Idempotency-Key, and what it was answered: PostgreSQL or SQLite, held to the same contract tests. A key is
/// claimed for a lease by the database's clock, so that one whose holder died comes free by itself.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IIdempotencyKeyStore
{
    /// <summary>
    /// Claims a key that nobody has, whose claim has run out, or whose answer is older than <paramref name="window"/>; otherwise says
    /// what it was used for.
    /// </summary>
    Task<IdempotencyKey> ClaimAsync(Guid key, Guid fingerprint, TimeSpan lease, TimeSpan window, CancellationToken cancellationToken);

    /// <summary>Stores the first answer; false if the claim ran out and somebody else has the key.</summary>
    Task<bool> CompleteAsync(IdempotencyKey claim, Replay answer, CancellationToken cancellationToken);

    /// <summary>Gives the key back, as if it had never been sent. Does nothing if somebody else has it.</summary>
    Task ReleaseAsync(IdempotencyKey claim, CancellationToken cancellationToken);

    /// <summary>Removes keys older than <paramref name="window"/> that nobody holds, at most <paramref name="limit"/>.</summary>
    /// <returns>How many were removed; 0 when nothing is left to remove.</returns>
    Task<int> ForgetAsync(TimeSpan window, int limit, CancellationToken cancellationToken);
}

/// <summary>A key as a claim finds it.</summary>
/// <param name="Key">Of client, route and header.</param>
/// <param name="Fingerprint">Of the body that it was first used for.</param>
/// <param name="IsMine">The caller has claimed it, and must complete or release it.</param>
/// <param name="BusyUntil">When the claim ends, whoever holds it; null once the key is answered.</param>
/// <param name="Answer">The first answer, once there is one.</param>
internal sealed record IdempotencyKey(Guid Key, Guid Fingerprint, bool IsMine, DateTimeOffset? BusyUntil, Replay? Answer);
