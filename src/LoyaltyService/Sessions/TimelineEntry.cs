namespace LoyaltyService.Sessions;

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
