using LoyaltyService.Http;

namespace LoyaltyService.Security;

/// <summary>
/// The audit: PostgreSQL or SQLite, held to the same tests. Actions in the database use the stores' SQL fragment to write their row in their
/// own transaction. <see cref="WriteAsync"/> is for all others. Rows never change.
/// </summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IAuditStore
{
    Task WriteAsync(AuditEntry entry, CancellationToken cancellationToken);

    /// <summary>Newest first; only those of the client or the action, if given.</summary>
    Task<IReadOnlyList<AuditRow>> ListAsync(int limit, PageCursor? after, string? client, string? action, CancellationToken cancellationToken);

    /// <summary>Deletes up to <paramref name="limit"/> rows older than <paramref name="keep"/>. Returns how many.</summary>
    Task<int> ForgetAsync(TimeSpan keep, int limit, CancellationToken cancellationToken);
}
