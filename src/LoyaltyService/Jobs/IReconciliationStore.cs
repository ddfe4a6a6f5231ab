using LoyaltyService.Http;
using LoyaltyService.Privacy;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Jobs;

/// <summary>
/// The reconciliation's reads and findings, in PostgreSQL or SQLite; both pass the same contract tests. Days are UTC.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IReconciliationStore
{
    /// <summary>The last day that was compared completely; null before the first.</summary>
    Task<ReconciledDay?> LastDayAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Reads the next <paramref name="limit"/> sessions along their expiry, and returns those that PDI knows and that were closed within the day or are in
    /// doubt.
    /// </summary>
    /// <param name="after">The position of the walk.</param>
    /// <param name="until">The end of the walk: a session that expires later cannot have been closed within the day.</param>
    Task<ReconciliationPage> PageAsync(DateOnly day, WalkPosition after, DateTimeOffset until, int limit, CancellationToken cancellationToken);

    /// <summary>Stores a difference; false if it is known and still open.</summary>
    Task<bool> AddAsync(Finding finding, CancellationToken cancellationToken);

    Task EndDayAsync(ReconciledDay day, CancellationToken cancellationToken);

    /// <summary>The findings, the newest first.</summary>
    Task<IReadOnlyList<Finding>> ListAsync(int limit, PageCursor? after, bool? resolved, CancellationToken cancellationToken);

    /// <summary>Resolves a finding, with the audit entry; null if no open finding has this id.</summary>
    Task<Finding?> ResolveAsync(Guid id, string resolution, AuditEntry audit, CancellationToken cancellationToken);
}

/// <param name="Sessions">The sessions to check at PDI, in the order of the walk.</param>
/// <param name="Reached">The new position of the walk; null at its end.</param>
internal sealed record ReconciliationPage(IReadOnlyList<Session> Sessions, WalkPosition? Reached);

/// <param name="Day">The day.</param>
/// <param name="Checked">How many sessions PDI was asked about.</param>
/// <param name="Found">How many of them differed.</param>
/// <param name="FinishedAt">When the comparison ended; set by the store.</param>
internal sealed record ReconciledDay(DateOnly Day, long Checked, long Found, DateTimeOffset FinishedAt = default);

/// <summary>A difference between a session here and PDI's record of it.</summary>
/// <param name="Kind">One of <see cref="FindingKinds"/>.</param>
/// <param name="Here">The session's state here, in words.</param>
/// <param name="AtPdi">PDI's record, in words.</param>
internal sealed record Finding(
    Guid Id,
    DateOnly Day,
    Guid SessionId,
    string Kind,
    string Here,
    string AtPdi,
    DateTimeOffset FoundAt = default,
    DateTimeOffset? ResolvedAt = null,
    string? ResolvedBy = null,
    [property: Personal] string? Resolution = null) : RedactedRecord;

internal static class FindingKinds
{
    public const string MissingAtPdi = "missing_at_pdi";
    public const string AmountsDiffer = "amounts_differ";
    public const string FinalizedAtPdiOnly = "finalized_at_pdi_only";

    public static readonly IReadOnlyList<string> All = [MissingAtPdi, AmountsDiffer, FinalizedAtPdiOnly];
}
