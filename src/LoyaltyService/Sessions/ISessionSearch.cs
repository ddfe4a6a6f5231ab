using LoyaltyService.Http;
using LoyaltyService.Privacy;

namespace LoyaltyService.Sessions;

/// <summary>
/// Sessions as operators look for them, archived ones too: PostgreSQL or SQLite, held to the same contract tests. A search walks along
/// an index, the newest first, and looks at a bounded number of rows.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISessionSearch
{
    /// <summary>
    /// How many rows a page looks at, at most. A rare status may so give a page with few sessions, or none, and a next one: no search
    /// takes longer than this many rows.
    /// </summary>
    const int RowsLookedAt = 1000;

    /// <summary>The next rows of the walk, whatever their status, fewer than <see cref="RowsLookedAt"/> only at its end.</summary>
    Task<IReadOnlyList<FoundSession>> WalkAsync(SessionQuery query, PageCursor? after, CancellationToken cancellationToken);
}

/// <param name="CustomerId">Walk along this customer's sessions.</param>
/// <param name="TransactionId">Walk along this transaction's sessions, of whatever channel.</param>
/// <param name="From">Created then or later.</param>
/// <param name="To">Created then or earlier.</param>
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
