using LoyaltyService.Http;
using LoyaltyService.Privacy;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>
/// What waits for PDI: the brief's queue, in the database, so that it survives a restart and is shared by all replicas. One row a
/// session, so that the order within a session cannot be lost. Leases and due times are by the database's clock.
/// </summary>
internal interface IPdiWorkStore
{
    /// <summary>
    /// Lets a pending session wait for PDI and gives up the caller's hold on it; false if <paramref name="maxItems"/> wait already.
    /// Callers at the same moment may pass the bound together: it keeps the table small, and no rule depends on its last digit.
    /// One that was parked waits again, as if it had been replayed: its till is told that it waits.
    /// </summary>
    Task<bool> TryAddAsync(Session session, int maxItems, CancellationToken cancellationToken);

    /// <summary>True if another session may wait: this one waits already, or fewer than <paramref name="maxItems"/> do.</summary>
    Task<bool> HasRoomAsync(Guid sessionId, int maxItems, CancellationToken cancellationToken);

    /// <summary>Takes up to <paramref name="limit"/> due items that nobody works on, the longest due first.</summary>
    Task<IReadOnlyList<PdiWorkItem>> ClaimAsync(int limit, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Gives an item back, due after <paramref name="pause"/>, or parked; nothing if the lease went to somebody else. An attempt that
    /// says nothing about the item, because PDI was gone for all, does not count. An item that was replayed meanwhile stays due and is
    /// not parked: the attempt that failed is none of those that the operator asked for.
    /// </summary>
    Task<bool> PutBackAsync(PdiWorkItem item, TimeSpan pause, string error, bool counts, bool park, CancellationToken cancellationToken);

    /// <summary>Removes an item that has nothing left to do; nothing if the lease went to somebody else.</summary>
    Task<bool> RemoveAsync(PdiWorkItem item, CancellationToken cancellationToken);

    /// <summary>PDI is back: what waits is due now.</summary>
    Task HurryAsync(CancellationToken cancellationToken);

    /// <summary>For operators: what waits, the oldest first, after the given one; all of it, or only what is parked or what is not.</summary>
    Task<IReadOnlyList<PdiWorkRow>> ListAsync(int limit, PageCursor? after, bool? parked, CancellationToken cancellationToken);

    /// <summary>For operators: how much waits, and for how long.</summary>
    Task<PdiWorkCounts> CountAsync(CancellationToken cancellationToken);

    Task<PdiWorkRow?> FindAsync(Guid sessionId, CancellationToken cancellationToken);

    /// <summary>For operators: due now, with all its attempts and all its time ahead again, parked or not; null if nothing waits.</summary>
    /// <param name="audit">Written with it; null where no operator asked.</param>
    Task<PdiWorkRow?> ReplayAsync(Guid sessionId, AuditEntry? audit, CancellationToken cancellationToken);
}

/// <summary>An item that the holder of its lease works on.</summary>
/// <param name="Fence">Counts the leases: a holder of an older one cannot write any more.</param>
/// <param name="Attempts">This one included.</param>
/// <param name="Age">Since the session began to wait or was replayed, by the database's clock.</param>
internal sealed record PdiWorkItem(Guid SessionId, int Fence, int Attempts, TimeSpan Age);

/// <summary>An item as an operator sees it.</summary>
internal sealed record PdiWorkRow(
    Guid SessionId,
    string Status,
    [property: CustomerIdentity] string CustomerId,
    string ChannelId,
    string TransactionId,
    DateTimeOffset CreatedAt,
    DateTimeOffset DueAt,
    bool IsLeased,
    int Attempts,
    DateTimeOffset? ParkedAt,
    string? LastError) : RedactedRecord;

/// <summary>How much waits.</summary>
/// <param name="Waiting">Items that the worker works on, now or when they are due.</param>
/// <param name="Parked">Items that wait for an operator.</param>
/// <param name="OldestAge">Of the oldest item of all; zero if there is none.</param>
internal sealed record PdiWorkCounts(long Waiting, long Parked, TimeSpan OldestAge);
