using LoyaltyService.Http;
using LoyaltyService.Privacy;

namespace LoyaltyService.Sessions;

/// <summary>
/// Searches sessions for operators, archived ones included, in PostgreSQL or SQLite; both pass the same contract tests. A search walks an index,
/// newest first, and reads a bounded number of rows.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISessionSearch
{
    /// <summary>
    /// The most rows that a page reads, so that no search takes longer. With a rare status, a page may therefore be short or empty and still have a
    /// successor.
    /// </summary>
    const int RowsLookedAt = 1000;

    /// <summary>The next rows of the walk in any status; fewer than <see cref="RowsLookedAt"/> only at its end.</summary>
    Task<IReadOnlyList<FoundSession>> WalkAsync(SessionQuery query, PageCursor? after, CancellationToken cancellationToken);
}

/// <param name="CustomerId">Walk this customer's sessions.</param>
/// <param name="TransactionId">Walk this transaction's sessions, in any channel.</param>
/// <param name="From">Created at this time or later.</param>
/// <param name="To">Created at this time or earlier.</param>
internal sealed record SessionQuery([property: CustomerIdentity] string? CustomerId, string? TransactionId, DateTimeOffset? From, DateTimeOffset? To) : RedactedRecord;

/// <summary>A session in a list.</summary>
internal sealed record FoundSession(
    Guid Id,
    string Client,
    [property: CustomerIdentity] string CustomerId,
    string ChannelId,
    string TransactionId,
    string? StoreId,
    string Status,
    int Version,
    long EarnedPoints,
    long RedeemedPoints,
    string? ReceiptId,
    string? FailureReason,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? FinalizedAt,
    DateTimeOffset? ArchivedAt) : RedactedRecord;
