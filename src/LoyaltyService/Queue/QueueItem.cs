using LoyaltyService.Privacy;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>A session that waits for PDI, as an operator sees it.</summary>
/// <param name="SessionId">The session.</param>
/// <param name="Status">The session's status.</param>
/// <param name="CustomerId">PDI's id of the customer.</param>
/// <param name="ChannelId">The till or ordering channel.</param>
/// <param name="TransactionId">The sale.</param>
/// <param name="WaitingSince">When the session began to wait for PDI.</param>
/// <param name="DueAt">When the next attempt is due; meaningless for a parked item.</param>
/// <param name="InProgress">A replica is working on it now.</param>
/// <param name="Attempts">Attempts since the last replay.</param>
/// <param name="ParkedAt">When the item was parked for an operator, if it was.</param>
/// <param name="LastError">The error of the last attempt, if it failed.</param>
/// <param name="Timeline">The session's events, oldest first; only when you read a single item.</param>
internal sealed record QueueItem(
    string SessionId,
    string Status,
    [property: CustomerIdentity] string CustomerId,
    string ChannelId,
    string TransactionId,
    DateTimeOffset WaitingSince,
    DateTimeOffset DueAt,
    bool InProgress,
    int Attempts,
    DateTimeOffset? ParkedAt,
    string? LastError,
    IReadOnlyList<TimelineEntry>? Timeline = null) : RedactedRecord
{
    public static QueueItem Of(PdiWorkRow row) => new(
        Sessions.SessionId.Format(row.SessionId),
        row.Status,
        row.CustomerId,
        row.ChannelId,
        row.TransactionId,
        row.CreatedAt,
        row.DueAt,
        row.IsLeased,
        row.Attempts,
        row.ParkedAt,
        row.LastError);
}
