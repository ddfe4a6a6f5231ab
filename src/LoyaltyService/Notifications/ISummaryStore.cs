using LoyaltyService.Http;

namespace LoyaltyService.Notifications;

/// <summary>What the daily summary reads, and the daily counts of all replicas: PostgreSQL or SQLite, held to the same tests. Days are in UTC.</summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISummaryStore
{
    /// <summary>Adds to today's counts, by the database's clock.</summary>
    Task AddCountsAsync(IReadOnlyList<(string Name, long Count)> counts, CancellationToken cancellationToken);

    /// <summary>Deletes counts of days longer ago than <paramref name="keep"/>.</summary>
    Task ForgetCountsAsync(TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>Totals of the next sessions in order of creation, up to the end of the day; empty at the end.</summary>
    /// <param name="archived">Whether to read the archive or the other sessions.</param>
    /// <param name="after">Where the last page ended.</param>
    Task<IReadOnlyList<SessionSum>> PageAsync(bool archived, DateOnly day, PageCursor after, int limit, CancellationToken cancellationToken);

    /// <summary>The other figures of a day; empty if nothing was counted or reconciled.</summary>
    Task<DayRecord> ReadAsync(DateOnly day, CancellationToken cancellationToken);
}

/// <summary>Totals of the sessions on one page with the same status and reason.</summary>
/// <param name="Begun">Created within the day.</param>
/// <param name="Closed">Finalized or failed within the day.</param>
/// <param name="Earned">Points of the sessions finalized within the day.</param>
/// <param name="Reached">Where the page ended; the same for all totals of a page.</param>
internal sealed record SessionSum(string Status, string? Reason, long Begun, long Closed, long Earned, long Redeemed, PageCursor Reached);

/// <param name="Counts">By name, as in <see cref="Observability.DailyCounts"/>.</param>
/// <param name="Reconciled">How many sessions were compared, and how many differed; null if the day has not been reconciled yet.</param>
/// <param name="OpenFindings">Of all days.</param>
internal sealed record DayRecord(IReadOnlyDictionary<string, long> Counts, (long Checked, long Found)? Reconciled, long OpenFindings);
