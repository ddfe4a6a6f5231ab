using LoyaltyService.Http;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>The database is unreachable, rejected the work, or disconnected during it. The caller may retry.</summary>
internal sealed class DatabaseUnavailableException(string message, Exception? inner = null)
    : LoyaltyException(StorageErrors.DatabaseUnavailable, message, TimeSpan.FromSeconds(5), inner)
{
    /// <summary>
    /// The connection broke while the statement ran: it may have committed, and only the row can tell. Not set if the server hangs: it would hang
    /// for a re-read too, and the caller's retry is that re-read.
    /// </summary>
    public bool IsOutcomeUnknown { get; init; }
}

/// <summary>More work than the database's connections can take now. The caller may retry soon.</summary>
internal sealed class OverloadedException(string message, Exception? inner = null)
    : LoyaltyException(HttpErrors.Overloaded, message, TimeSpan.FromSeconds(1), inner);

/// <summary>A batch committed nothing. Each of its queries may succeed alone.</summary>
/// <param name="query">The index of the query that PostgreSQL rejected; null if it rejected the commit.</param>
/// <param name="inner">PostgreSQL's error.</param>
internal sealed class RefusedTogetherException(int? query, PostgresException inner) : Exception(inner.Message, inner)
{
    public int? Query => query;
}
