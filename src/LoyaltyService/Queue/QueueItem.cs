using LoyaltyService.Privacy;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>A session that waits for PDI, as an operator sees it.</summary>
/// <param name="SessionId">The session.</param>
/// <param name="Status">The session's status.</param>
/// <param name="CustomerId">PDI's id of the customer.</param>
/// <param name="ChannelId">The till or ordering channel.</param>
/// <param name="TransactionId">The sale.</param>
/// <param name="WaitingSince">Since when the session waits for PDI.</param>
/// <param name="DueAt">When the next attempt is due; of no meaning for a parked item.</param>
/// <param name="InProgress">Somebody works on it right now.</param>
/// <param name="Attempts">How often the service has tried, since the last replay.</param>
/// <param name="ParkedAt">Since when the item waits for an operator, if it does.</param>
/// <param name="LastError">How the last attempt ended, if there was one.</param>
/// <param name="Timeline">What happened to the session, oldest first; only where one item is asked for.</param>
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
