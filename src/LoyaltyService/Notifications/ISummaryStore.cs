using LoyaltyService.Http;

namespace LoyaltyService.Notifications;

/// <summary>What the daily summary reads, and the day's counts of all replicas: PostgreSQL or SQLite, held to the same tests. Days are of UTC.</summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface ISummaryStore
{
    /// <summary>Adds to the counts of today, by the database's clock.</summary>
    Task AddCountsAsync(IReadOnlyList<(string Name, long Count)> counts, CancellationToken cancellationToken);

    /// <summary>Forgets the counts of days that are longer ago than <paramref name="keep"/>.</summary>
    Task ForgetCountsAsync(TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>The next sessions along their creation, up to the end of the day, summed up; empty at the end.</summary>
    /// <param name="archived">Those in the archive, or those that are not.</param>
    /// <param name="after">Where the walk stands.</param>
    Task<IReadOnlyList<SessionSum>> PageAsync(bool archived, DateOnly day, PageCursor after, int limit, CancellationToken cancellationToken);

    /// <summary>What is known of a day beside its sessions; nothing counted and nothing compared if nothing was.</summary>
    Task<DayRecord> ReadAsync(DateOnly day, CancellationToken cancellationToken);
}

/// <summary>Sessions of one page with the same status and reason.</summary>
/// <param name="Begun">Created within the day.</param>
/// <param name="Closed">Finalized or failed within the day.</param>
/// <param name="Earned">Points of those that were finalized within the day.</param>
/// <param name="Reached">Where the walk stands now; the same in all of a page.</param>
internal sealed record SessionSum(string Status, string? Reason, long Begun, long Closed, long Earned, long Redeemed, PageCursor Reached);

/// <param name="Counts">By name, as in <see cref="Observability.DailyCounts"/>.</param>
/// <param name="Reconciled">How many sessions were compared and how many differed; null if the day has not been compared yet.</param>
/// <param name="OpenFindings">Of any day.</param>
internal sealed record DayRecord(IReadOnlyDictionary<string, long> Counts, (long Checked, long Found)? Reconciled, long OpenFindings);
