using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>
/// Wraps everything that is sent to PostgreSQL: a bounded wait for a connection and for the result, bounded retries of serialization failures,
/// and the service's own exceptions.
/// </summary>
internal sealed partial class PostgresAttempts(TimeProvider clock, StorageMetrics metrics, ILogger logger)
{
    // With full jitter below 20, 40, 80, 160 and 320 ms, five retries outlast a burst of conflicts by 310 ms on average. A commit takes a few
    // milliseconds on a good day and tens on a bad one; a till gets 503 only after that.
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(20);

    private long lastAnswer;

    /// <summary>When a statement last completed, as a timestamp of the clock; null before the first one.</summary>
    public long? LastAnswer => Interlocked.Read(ref lastAnswer) is var answered and not 0 ? answered : null;

    public static bool IsSerializationFailure(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected;

    public async Task<T> RunAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
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
                if (!IsSerializationFailure(refused) || retry == PostgresDatabase.MaxRetries)
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
            // The server cancels a statement that takes too long. If the server itself hangs, the caller does not wait for it.
            return await OpenAndRunAsync(source, run, cancellationToken).WaitAsync(PostgresDatabase.StatementTime, clock, CancellationToken.None);
        }
        catch (TimeoutException late)
        {
            throw PostgresDatabase.TookTooLong(late);
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

    private static async ValueTask<NpgsqlConnection> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        wait.CancelAfter(PostgresDatabase.ConnectionWait);
        try
        {
            return await source.OpenConnectionAsync(wait.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw PostgresDatabase.NoneCameFree(late);
        }
    }

    // 08: connection; 28: invalid credentials; 3D: no such database; 53: insufficient resources; 57: operator intervention (shutdown,
    // crash, cancelled statement); 58: system error; 25006: a standby, or a server that was made read-only.
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
