using LoyaltyService.Http;
using LoyaltyService.Privacy;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>
/// The queue for PDI, in the database: it survives a restart, and all replicas share it. One row per session keeps a session's calls in
/// order. Leases and due times use the database's clock.
/// </summary>
internal interface IPdiWorkStore
{
    /// <summary>
    /// Queues a pending session and releases the caller's hold on it; false if <paramref name="maxItems"/> wait already. Concurrent
    /// callers may exceed the limit slightly: it only keeps the table small. A parked session is replayed, because its till gets 202.
    /// </summary>
    Task<bool> TryAddAsync(Session session, int maxItems, CancellationToken cancellationToken);

    /// <summary>True if this session may wait: it waits already, or fewer than <paramref name="maxItems"/> do.</summary>
    Task<bool> HasRoomAsync(Guid sessionId, int maxItems, CancellationToken cancellationToken);

    /// <summary>Leases up to <paramref name="limit"/> due items without a lease, the longest due first.</summary>
    Task<IReadOnlyList<PdiWorkItem>> ClaimAsync(int limit, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Returns an item, due after <paramref name="pause"/>, or parked; does nothing if the lease has passed to another worker. An item
    /// that was replayed meanwhile stays due and is not parked: the operator asked for attempts after this one.
    /// </summary>
    Task<bool> PutBackAsync(PdiWorkItem item, TimeSpan pause, string error, bool counts, bool park, CancellationToken cancellationToken);

    /// <summary>Removes an item that owes nothing; does nothing if the lease has passed to another worker.</summary>
    Task<bool> RemoveAsync(PdiWorkItem item, CancellationToken cancellationToken);

    /// <summary>Makes all waiting items due now, because PDI is back.</summary>
    Task HurryAsync(CancellationToken cancellationToken);

    /// <summary>For operators: a page of the items, the oldest first; all, only the parked ones, or only the others.</summary>
    Task<IReadOnlyList<PdiWorkRow>> ListAsync(int limit, PageCursor? after, bool? parked, CancellationToken cancellationToken);

    /// <summary>For operators: how many items wait, and how old the oldest is.</summary>
    Task<PdiWorkCounts> CountAsync(CancellationToken cancellationToken);

    Task<PdiWorkRow?> FindAsync(Guid sessionId, CancellationToken cancellationToken);

    /// <summary>For operators: makes an item due now, with all its attempts and its time again, parked or not; null if there is no such item.</summary>
    /// <param name="audit">Written in the same transaction; null if no operator asked.</param>
    Task<PdiWorkRow?> ReplayAsync(Guid sessionId, AuditEntry? audit, CancellationToken cancellationToken);
}

/// <summary>An item, as its lease holder sees it.</summary>
/// <param name="Fence">Counts the leases: the holder of an older one can no longer write.</param>
/// <param name="Attempts">This one included.</param>
/// <param name="Age">Since the session was queued or replayed, by the database's clock.</param>
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

/// <summary>The size of the queue.</summary>
/// <param name="Waiting">Items that the worker works on, now or when they are due.</param>
/// <param name="Parked">Items that wait for an operator.</param>
/// <param name="OldestAge">Of the oldest item of all; zero if there is none.</param>
internal sealed record PdiWorkCounts(long Waiting, long Parked, TimeSpan OldestAge);
