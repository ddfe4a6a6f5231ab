using LoyaltyService.Http;

namespace LoyaltyService.Security;

/// <summary>
/// The audit: PostgreSQL or SQLite, held to the same tests. An action in the database writes its own row, in its own transaction, with the
/// stores' fragment for it; what is here is for all others. Rows are never changed.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IAuditStore
{
    Task WriteAsync(AuditEntry entry, CancellationToken cancellationToken);

    /// <summary>The newest first; only a client's or an action's, where one is given.</summary>
    Task<IReadOnlyList<AuditRow>> ListAsync(int limit, PageCursor? after, string? client, string? action, CancellationToken cancellationToken);

    /// <summary>Removes up to <paramref name="limit"/> rows that are older than <paramref name="keep"/>, and tells how many.</summary>
    Task<int> ForgetAsync(TimeSpan keep, int limit, CancellationToken cancellationToken);
}
