using System.Data;
using LoyaltyService.Observability;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>
/// The service's way to PostgreSQL: one pool whose every connection is serializable, a bounded wait for a connection, bounded
/// retries of what serializable isolation refuses, and errors in the service's own words.
/// </summary>
internal sealed partial class PostgresDatabase(
    PostgresPools pools, TimeProvider clock, LoyaltyMetrics metrics, ILogger<PostgresDatabase> logger) : IAsyncDisposable
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

    // With full jitter below 20, 40, 80, 160 and 320 ms, five retries outlast a burst of conflicts by 310 ms on average: a commit takes
    // a few milliseconds on a good day and tens on a bad one, and a till is told 503 only after that.
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(20);

    private long lastAnswer;

    /// <summary>When a statement last came to its end, as a timestamp of the clock; null before the first one.</summary>
    public long? LastAnswer => Interlocked.Read(ref lastAnswer) is var answered and not 0 ? answered : null;

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
            return await RetryAsync(pools.ForBatches, async (connection, token) =>
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
    /// own would not decide again. Under serializable isolation it would hold whole tables, in conflict with every sale.
    /// </summary>
    public Task<IReadOnlyList<T>> ListReadCommittedAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        ListReadCommittedAsync(statement, parameters, read, before: null, cancellationToken);

    /// <summary>
    /// A job's batch: read committed, as it would be in conflict with every sale otherwise; it is protected by its row locks, and by the status
    /// that it compares again with the row locked. It does not wait for the disk, nor does the disk write a batch at once before the tills'
    /// commits: whoever commits next on top of it takes it along. What a crash of the server takes back is whole batches, which are due again.
    /// </summary>
    public Task<IReadOnlyList<T>> RunBatchAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        ListReadCommittedAsync(statement, parameters, read, "set local synchronous_commit = off", cancellationToken);

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
            return await RetryAsync(pools.ForStatements, run, cancellationToken);
        }
        catch (PostgresException refused) when (IsSerializationFailure(refused) || refused.SqlState is PostgresErrorCodes.LockNotAvailable)
        {
            throw new OverloadedException("Too many changes of the same data at once.", refused);
        }
    }

    private async Task<T> RetryAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        for (var retry = 0; ; retry++)
        {
            try
            {
                return await RunOnceAsync(source, run, cancellationToken);
            }
            catch (PostgresException refused)
            {
                metrics.StatementRolledBack();
                if (!IsSerializationFailure(refused) || retry == MaxRetries)
                    throw;
                Log.StatementRetried(logger, refused.SqlState, retry + 1);
                await Task.Delay(FullJitter(retry), clock, cancellationToken);
            }
        }
    }

    private async Task<T> RunOnceAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        try
        {
            // The server ends a statement that takes too long. If it stands still itself, the caller does not wait for it.
            return await OpenAndRunAsync(source, run, cancellationToken).WaitAsync(StatementTime, clock, CancellationToken.None);
        }
        catch (TimeoutException late)
        {
            throw TookTooLong(late);
        }
        catch (PostgresException refused) when (IsUnavailable(refused))
        {
            throw new DatabaseUnavailableException("The database does not take work just now.", refused);
        }
        catch (NpgsqlException broken) when (broken is not PostgresException)
        {
            throw new DatabaseUnavailableException("The database cannot be reached.", broken)
            {
                IsOutcomeUnknown = broken.InnerException is not TimeoutException,
            };
        }
    }

    private async Task<T> OpenAndRunAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(source, cancellationToken);
        var result = await run(connection, cancellationToken);
        Interlocked.Exchange(ref lastAnswer, clock.GetTimestamp());
        return result;
    }

    private Task<IReadOnlyList<T>> ListReadCommittedAsync<T>(
        string statement, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, string? before, CancellationToken cancellationToken) =>
        RunAsync(statement, parameters, async (command, token) =>
        {
            await using var transaction = await command.Connection!.BeginTransactionAsync(IsolationLevel.ReadCommitted, token);
            if (before is not null)
            {
                await using var first = new NpgsqlCommand(before, command.Connection, transaction);
                await first.ExecuteNonQueryAsync(token);
            }

            command.Transaction = transaction;
            var rows = await ReadAllAsync(command, read, token);
            await transaction.CommitAsync(token);
            return rows;
        }, cancellationToken);

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

    private static async ValueTask<NpgsqlConnection> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        wait.CancelAfter(ConnectionWait);
        try
        {
            return await source.OpenConnectionAsync(wait.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw NoneCameFree(late);
        }
    }

    private static bool IsSerializationFailure(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected;

    // 08: connection; 28: credentials refused; 3D: no such database; 53: insufficient resources; 57: operator intervention (shutdown,
    // crash, cancelled statement); 58: system error; 25006: a standby, or a server that was set read-only.
    private static bool IsUnavailable(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction
        || exception.SqlState[..2] is "08" or "28" or "3D" or "53" or "57" or "58";

    private static TimeSpan FullJitter(int retry) => FirstRetryDelay * Math.Pow(2, retry) * Random.Shared.NextDouble();

    private static partial class Log
    {
        [LoggerMessage(EventName = "StatementRetried", Level = LogLevel.Debug, Message = "Statement retried after {sqlState}, try {retry}")]
        public static partial void StatementRetried(ILogger logger, string sqlState, int retry);
    }
}
