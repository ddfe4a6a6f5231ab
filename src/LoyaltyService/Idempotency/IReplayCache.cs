using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;

namespace LoyaltyService.Idempotency;

/// <summary>
/// Settled answers, for ten minutes (brief: idempotency window). The cache only saves a database lookup: lost entries are rebuilt from the row, so
/// no method throws because of the cache.
/// </summary>
internal interface IReplayCache
{
    /// <summary>brief: 10 minutes.</summary>
    static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    ValueTask<Replay?> FindAsync(ReplayKey key);

    void Remember(ReplayKey key, Replay replay);

    /// <summary>Deletes entries older than the window that have not expired by themselves, page by page.</summary>
    /// <param name="swept">Called after each page with its number of entries, even 0. An exception ends the sweep.</param>
    Task SweepAsync(Func<int, Task> swept, CancellationToken cancellationToken);
}

/// <param name="Operation">The route: <c>identify</c> or <c>finalize</c>; or <c>key</c> for requests with an Idempotency-Key.</param>
/// <param name="Id">The key of the sale, the session or the header; it includes the client.</param>
internal readonly record struct ReplayKey(string Operation, Guid Id);

/// <param name="Fingerprint">Of the answered request: the same key with another body is not a repeat.</param>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Version">The session's version for <c>ETag</c>; 0 for none.</param>
/// <param name="Body">The answer, byte for byte.</param>
internal sealed record Replay(Guid Fingerprint, int Status, int Version, [property: Personal] byte[] Body) : RedactedRecord
{
    /// <summary>Replays the first answer. PDI's rejections are the only errors that are stored.</summary>
    public Answer<T> ToAnswer<T>()
        where T : class =>
        Answer<T>.Replay(Status, Body, Status < StatusCodes.Status400BadRequest ? null : PdiErrors.Rejected).WithVersion(Version == 0 ? null : Version);
}
