using System.Data;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>
/// Runs statements on PostgreSQL over serializable connections. <see cref="PostgresAttempts"/> adds the bounded waits, the bounded retries and the
/// service's own exceptions.
/// </summary>
internal sealed class PostgresDatabase(
    PostgresPools pools, TimeProvider clock, StorageMetrics metrics, ILogger<PostgresDatabase> logger) : IAsyncDisposable
{
    /// <summary>How often a statement is retried after a serialization failure or deadlock (40001, 40P01; design: five).</summary>
    public const int MaxRetries = 5;

    /// <summary>
    /// How long a caller waits for a connection. The brief's 30 s is the time to open one; a till would not wait that long in a queue, so it gets
    /// 503 instead.
    /// </summary>
    public static readonly TimeSpan ConnectionWait = TimeSpan.FromSeconds(1.5);

    /// <summary>How long a caller waits for a statement, connection included: longer than the lock timeout, shorter than a till waits.</summary>
    public static readonly TimeSpan StatementTime = TimeSpan.FromSeconds(10);

    private readonly PostgresAttempts attempts = new(clock, metrics, logger);

    /// <summary>When a statement last completed, as a timestamp of the clock; null before the first one.</summary>
    public long? LastAnswer => attempts.LastAnswer;

    public static DatabaseUnavailableException TookTooLong(TimeoutException late) =>
        new($"The database has not answered within {StatementTime.TotalSeconds} s.", late);

    public static OverloadedException NoneCameFree(Exception late) =>
        new($"No database connection came free within {ConnectionWait.TotalSeconds} s.", late);

    public (long Idle, long Used) CountConnections() => pools.Count();

    public Task<T?> QueryAsync<T>(PostgresQuery<T> query, CancellationToken cancellationToken)
        where T : class =>
        QueryAsync(query.Statement, query.Parameters, query.Read, cancellationToken);

    /// <summary>Runs a statement and reads its first row; null without one.</summary>
    public Task<T?> QueryAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        where T : class =>
        RunAsync(statement, parameters, async (command, token) =>
        {
            await using var reader = await command.ExecuteReaderAsync(token);
            var first = await reader.ReadAsync(token) ? read(reader) : null;
            // Read to the end, or an error after the first row (a failed commit) would be lost.
            await reader.NextResultAsync(token);
            return first;
        }, cancellationToken);

    /// <summary>Runs a statement and reads all its rows.</summary>
    public Task<IReadOnlyList<T>> ListAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        RunAsync(statement, parameters, (command, token) => ReadAllAsync(command, read, token), cancellationToken);

    /// <summary>
    /// Runs several statements in one round trip, as one transaction, and reads the first row of each; null without one. Serialization failures
    /// retry the whole batch.
    /// </summary>
    /// <param name="take">Chooses the statements once a connection is available.</param>
    /// <exception cref="RefusedTogetherException">Nothing was committed: PostgreSQL rejected one of them, or the commit.</exception>
    public async Task<IReadOnlyList<T?>> QueryTogetherAsync<T>(Func<IReadOnlyList<PostgresQuery<T>>> take)
        where T : class
    {
        IReadOnlyList<PostgresQuery<T>>? queries = null;
        var rows = new List<T?>();
        try
        {
            return await attempts.RunAsync(pools.ForBatches, async (connection, token) =>
            {
                queries ??= take();
                rows.Clear();
                if (queries.Count > 0)
                    await ReadTogetherAsync(connection, queries, rows, token);
                return rows;
            }, CancellationToken.None);
        }
        catch (PostgresException refused)
        {
            throw new RefusedTogetherException(rows.Count < queries?.Count ? rows.Count : null, refused);
        }
    }

    /// <summary>
    /// As <see cref="ListAsync"/>, but read committed: for reads of many rows that decide nothing a later statement would not check again, and for
    /// changes that row locks protect. Under serializable isolation both would lock whole tables, in conflict with every sale.
    /// </summary>
    public Task<IReadOnlyList<T>> ListReadCommittedAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        RunAsync(statement, parameters, async (command, token) =>
        {
            await using var transaction = await command.Connection!.BeginTransactionAsync(IsolationLevel.ReadCommitted, token);
            command.Transaction = transaction;
            var rows = await ReadAllAsync(command, read, token);
            await transaction.CommitAsync(token);
            return rows;
        }, cancellationToken);

    /// <summary>
    /// Runs a server-side block that commits by itself. Setup, block and result statement go in one round trip, each in its own transaction; returns the
    /// first row of the result, or null. After a serialization failure or deadlock the block runs again from its start, so it must skip what it has
    /// committed; the result is that of the last run.
    /// </summary>
    public Task<T?> RunBlockAsync<T>(
        string start, NpgsqlParameter[] parameters, string block, string end, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        where T : class =>
        RunAsync(async (connection, token) =>
        {
            await using var batch = new NpgsqlBatch(connection) { EnableErrorBarriers = true };
            foreach (var statement in new[] { start, block, end })
                batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
            batch.BatchCommands[0].Parameters.AddRange(parameters);
            try
            {
                await using var reader = await batch.ExecuteReaderAsync(token);
                // The block has no result, so its error is raised here.
                await reader.NextResultAsync(token);
                return await reader.ReadAsync(token) ? read(reader) : null;
            }
            finally
            {
                // A parameter belongs to one command at a time; a retry needs a new batch.
                batch.BatchCommands[0].Parameters.Clear();
            }
        }, cancellationToken);

    /// <summary>Runs a statement and returns how many rows it changed.</summary>
    public Task<int> ExecuteAsync(string statement, NpgsqlParameter[] parameters, CancellationToken cancellationToken) =>
        RunAsync(statement, parameters, static (command, token) => command.ExecuteNonQueryAsync(token), cancellationToken);

    public ValueTask DisposeAsync() => pools.DisposeAsync();

    private Task<T> RunAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlCommand, CancellationToken, Task<T>> run, CancellationToken cancellationToken) =>
        RunAsync(async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(statement, connection);
            command.Parameters.AddRange(parameters);
            try
            {
                // Costs a round trip at the first use on a connection, nothing after that.
                await command.PrepareAsync(token);
                return await run(command, token);
            }
            finally
            {
                // A parameter belongs to one command at a time; a retry needs a new command.
                command.Parameters.Clear();
            }
        }, cancellationToken);

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await attempts.RunAsync(pools.ForStatements, run, cancellationToken);
        }
        catch (PostgresException refused) when (PostgresAttempts.IsSerializationFailure(refused) || refused.SqlState is PostgresErrorCodes.LockNotAvailable)
        {
            throw new OverloadedException("Too many changes of the same data at once.", refused);
        }
    }

    private static async Task<IReadOnlyList<T>> ReadAllAsync<T>(NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken token)
    {
        await using var reader = await command.ExecuteReaderAsync(token);
        var rows = new List<T>();
        while (await reader.ReadAsync(token))
            rows.Add(read(reader));
        return rows;
    }

    private static async Task ReadTogetherAsync<T>(
        NpgsqlConnection connection, IReadOnlyList<PostgresQuery<T>> queries, List<T?> rows, CancellationToken token)
        where T : class
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var query in queries)
        {
            var command = new NpgsqlBatchCommand(query.Statement);
            command.Parameters.AddRange(query.Parameters);
            batch.BatchCommands.Add(command);
        }

        try
        {
            await batch.PrepareAsync(token);
            await using var reader = await batch.ExecuteReaderAsync(token);
            foreach (var query in queries)
            {
                rows.Add(await reader.ReadAsync(token) ? query.Read(reader) : null);
                // After the last result, this is the commit.
                await reader.NextResultAsync(token);
            }
        }
        finally
        {
            // A parameter belongs to one command at a time.
            foreach (var command in batch.BatchCommands)
                command.Parameters.Clear();
        }
    }
}
