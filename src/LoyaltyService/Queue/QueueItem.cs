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

/// <summary>One event of a session.</summary>
/// <param name="Version">The version that the event led to.</param>
/// <param name="Event">What happened.</param>
/// <param name="Status">The status that it led to.</param>
/// <param name="Cause">Who caused it.</param>
/// <param name="At">When.</param>
/// <param name="Amount">The sale's amount, where the event has one.</param>
/// <param name="EarnedPoints">The session's points after the event.</param>
/// <param name="RedeemedPoints">What was redeemed.</param>
/// <param name="RewardSource">Who calculated the points, if anybody has.</param>
/// <param name="Detail">A code that explains the event; the operator's name where one resolved the session.</param>
/// <param name="TraceId">The trace that caused it.</param>
internal sealed record TimelineEntry(
    int Version,
    string Event,
    string Status,
    string Cause,
    DateTimeOffset At,
    decimal? Amount,
    long EarnedPoints,
    long RedeemedPoints,
    string? RewardSource,
    string? Detail,
    string? TraceId)
{
    // With two decimals from every database.
    public static TimelineEntry Of(SessionEventRow row) => new(
        row.Version, row.Event, row.Status, row.Cause, row.At, row.Amount + 0.00m, row.EarnedPoints, row.RedeemedPoints,
        row.RewardSource, row.Detail, row.TraceId);
}
