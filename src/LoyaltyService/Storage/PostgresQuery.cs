using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>A statement with what it needs, and how its first row is read.</summary>
internal sealed record PostgresQuery<T>(string Statement, NpgsqlParameter[] Parameters, Func<NpgsqlDataReader, T> Read);
