using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;

namespace LoyaltyService.Idempotency;

/// <summary>
/// Settled answers, for ten minutes (brief: idempotency window). It only saves a look at the database: what is lost here is rebuilt
/// from the database's row, so no method of it throws for want of it.
/// </summary>
internal interface IReplayCache
{
    /// <summary>brief: 10 minutes.</summary>
    static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    ValueTask<Replay?> FindAsync(ReplayKey key);

    void Remember(ReplayKey key, Replay replay);

    /// <summary>Removes what is older than the window and has not gone by itself, a page at a time.</summary>
    /// <param name="swept">Is told after each page how many entries that were, also if there were none. It may throw, which ends the sweep.</param>
    Task SweepAsync(Func<int, Task> swept, CancellationToken cancellationToken);
}

/// <param name="Operation">The route: <c>identify</c> or <c>finalize</c>; or <c>key</c> for what came with an Idempotency-Key.</param>
/// <param name="Id">The sale's, the session's or the header's key, with the client in it.</param>
internal readonly record struct ReplayKey(string Operation, Guid Id);

/// <param name="Fingerprint">Of the request that was answered: the same key with another body is no repeat.</param>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Version">The session's version for <c>ETag</c>; 0 for none.</param>
/// <param name="Body">The answer, byte for byte.</param>
internal sealed record Replay(Guid Fingerprint, int Status, int Version, [property: Personal] byte[] Body) : RedactedRecord
{
    /// <summary>The first answer again. Of refusals only PDI's own are remembered.</summary>
    public Answer<T> ToAnswer<T>()
        where T : class =>
        Answer<T>.Replay(Status, Body, Status < StatusCodes.Status400BadRequest ? null : PdiErrors.Rejected).WithVersion(Version == 0 ? null : Version);
}
