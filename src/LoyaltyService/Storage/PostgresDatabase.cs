using System.Data;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>
/// The service's way to PostgreSQL: statements, and what they give, on connections that are serializable. What stands around each, a bounded
/// wait, bounded retries and errors in the service's own words, is <see cref="PostgresAttempts"/>.
/// </summary>
internal sealed class PostgresDatabase(
    PostgresPools pools, TimeProvider clock, StorageMetrics metrics, ILogger<PostgresDatabase> logger) : IAsyncDisposable
{
    /// <summary>How often a statement that isolation refused (40001, 40P01) is run again (design: five).</summary>
    public const int MaxRetries = 5;

    /// <summary>
    /// How long a caller waits for a connection. The brief's 30 s is the figure for opening one; a till that waits in line that long
    /// has gone, so it is told to come back instead.
    /// </summary>
    public static readonly TimeSpan ConnectionWait = TimeSpan.FromSeconds(1.5);

    /// <summary>How long a caller waits for a statement, its connection included: longer than the lock timeout, shorter than a till's patience.</summary>
    public static readonly TimeSpan StatementTime = TimeSpan.FromSeconds(10);

    private readonly PostgresAttempts attempts = new(clock, metrics, logger);

    /// <summary>When a statement last came to its end, as a timestamp of the clock; null before the first one.</summary>
    public long? LastAnswer => attempts.LastAnswer;

    public static DatabaseUnavailableException TookTooLong(TimeoutException late) =>
        new($"The database has not answered within {StatementTime.TotalSeconds} s.", late);

    public static OverloadedException NoneCameFree(Exception late) =>
        new($"No database connection came free within {ConnectionWait.TotalSeconds} s.", late);

    public (long Idle, long Used) CountConnections() => pools.Count();

    public Task<T?> QueryAsync<T>(PostgresQuery<T> query, CancellationToken cancellationToken)
        where T : class =>
        QueryAsync(query.Statement, query.Parameters, query.Read, cancellationToken);

    /// <summary>Runs a statement and reads its first row; null where there is none.</summary>
    public Task<T?> QueryAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
        where T : class =>
        RunAsync(statement, parameters, async (command, token) =>
        {
            await using var reader = await command.ExecuteReaderAsync(token);
            var first = await reader.ReadAsync(token) ? read(reader) : null;
            // To the end, or an error that comes after the first row (a failed commit) would be lost.
            await reader.NextResultAsync(token);
            return first;
        }, cancellationToken);

    /// <summary>Runs a statement and reads all its rows.</summary>
    public Task<IReadOnlyList<T>> ListAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        RunAsync(statement, parameters, (command, token) => ReadAllAsync(command, read, token), cancellationToken);

    /// <summary>
    /// Runs several in one round trip, as one transaction; the first row of each, null where there is none. What isolation refuses is tried again
    /// as a whole.
    /// </summary>
    /// <param name="take">Says which, once there is a connection for them.</param>
    /// <exception cref="RefusedTogetherException">Nothing was done: PostgreSQL refused one of them, or all.</exception>
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
    /// As <see cref="ListAsync"/>, but read committed: for a look at many rows by somebody who decides nothing on it that a statement of its
    /// own would not decide again, and for a change that its row locks protect. Under serializable isolation both would hold whole tables, in
    /// conflict with every sale.
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
    /// Runs a block of the server's language that commits by itself: what sets it up, the block, and a statement that tells what it did, in one round
    /// trip, each a transaction of its own. The first row of what is told; null where there is none. A block that isolation or a deadlock ended is run
    /// again from its start, and must then find done what it had committed; it tells of the try that came to its end.
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
                // The block has no result of its own; what it ran into is told here.
                await reader.NextResultAsync(token);
                return await reader.ReadAsync(token) ? read(reader) : null;
            }
            finally
            {
                // A parameter belongs to one command at a time; the next try has a batch of its own.
                batch.BatchCommands[0].Parameters.Clear();
            }
        }, cancellationToken);

    /// <summary>Runs a statement and tells how many rows it changed.</summary>
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
                // A round trip of its own at the first use on a connection, nothing after that.
                await command.PrepareAsync(token);
                return await run(command, token);
            }
            finally
            {
                // A parameter belongs to one command at a time; the next try has a command of its own.
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
                // After the last one this is the commit.
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
