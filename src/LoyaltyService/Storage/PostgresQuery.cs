using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>A statement, its parameters, and the reader of its first row.</summary>
internal sealed record PostgresQuery<T>(string Statement, NpgsqlParameter[] Parameters, Func<NpgsqlDataReader, T> Read);
