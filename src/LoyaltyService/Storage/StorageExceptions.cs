using LoyaltyService.Http;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>The database could not be reached, refused the work, or broke off in the middle. The caller may try again.</summary>
internal sealed class DatabaseUnavailableException(string message, Exception? inner = null)
    : LoyaltyException(StorageErrors.DatabaseUnavailable, message, TimeSpan.FromSeconds(5), inner)
{
    /// <summary>
    /// The connection broke while the statement ran: it may have been committed, and only the row can tell. Not set where the server
    /// stands still: it would stand still for the next look as well, and the caller's repeat is that look.
    /// </summary>
    public bool IsOutcomeUnknown { get; init; }
}

/// <summary>More work than the database's connections can take just now. The caller may try again soon.</summary>
internal sealed class OverloadedException(string message, Exception? inner = null)
    : LoyaltyException(HttpErrors.Overloaded, message, TimeSpan.FromSeconds(1), inner);

/// <summary>Of several queries that ran together nothing was done. By itself each may fare better.</summary>
/// <param name="query">The one that PostgreSQL refused, by its place; null if it refused the commit of all.</param>
/// <param name="inner">What PostgreSQL said.</param>
internal sealed class RefusedTogetherException(int? query, PostgresException inner) : Exception(inner.Message, inner)
{
    public int? Query => query;
}
