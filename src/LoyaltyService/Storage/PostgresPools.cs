using System.Diagnostics;
using LoyaltyService.Configuration;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>
/// A replica's connections to PostgreSQL: a few for batches (<see cref="PostgresDatabase.QueryTogetherAsync"/>), which many callers wait for at once,
/// and the rest for everything else. Sets the session options of each connection.
/// </summary>
internal sealed class PostgresPools : IAsyncDisposable
{
    /// <summary>The most batches in flight.</summary>
    public const int Batches = 3;

    // A connection to a silent server is closed long after its caller gave up: the driver first asks the server to cancel, which blocks a thread for up
    // to 2 s. If it did that when the callers' time is over, they would wait for these threads.
    private static readonly TimeSpan GivenUpAfter = 3 * PostgresDatabase.StatementTime;

    /// <summary>brief: 5 s to acquire a row's lock.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A batch does not wait for locked rows: a statement that meets one runs again alone, and the rest of the batch without it.</summary>
    private static readonly TimeSpan BatchLockTimeout = TimeSpan.FromMilliseconds(50);

    private readonly PoolCounts counts;

    public PostgresPools(PostgresUrl url, PostgresLimits limits)
    {
        ForBatches = Create(url, limits, Batches, Batches, BatchLockTimeout, "/batches");
        ForStatements = Create(url, limits, Math.Max(0, limits.MinConnections - Batches), limits.MaxConnections - Batches, LockTimeout, "");
        counts = new PoolCounts(NameOf(url, "/batches"), NameOf(url, ""));
    }

    public NpgsqlDataSource ForBatches { get; }

    public NpgsqlDataSource ForStatements { get; }

    public (long Idle, long Used) Count() => counts.Read();

    public async ValueTask DisposeAsync()
    {
        counts.Dispose();
        await ForBatches.DisposeAsync();
        await ForStatements.DisposeAsync();
    }

    private static NpgsqlDataSource Create(PostgresUrl url, PostgresLimits limits, int min, int max, TimeSpan lockTimeout, string name)
    {
        var connection = url.ToNpgsql();
        connection.MinPoolSize = min;
        connection.MaxPoolSize = max;
        connection.ConnectionLifetime = (int)limits.ConnectionLifetime.TotalSeconds;
        // PostgresDatabase prepares statements explicitly. With the driver's automatic preparation, a statement that fails while it is being prepared leaves a
        // connection whose next use of it is misread ("unexpected backend message").
        connection.MaxAutoPrepare = 0;
        // No state on a connection outlives its statement, so it is not reset between uses.
        connection.NoResetOnClose = true;
        connection.CommandTimeout = (int)GivenUpAfter.TotalSeconds;
        connection.ApplicationName ??= "loyalty-service";
        // Under serializable isolation a sequential scan locks the whole table, even a small one, so the planner must use the index. A scan that no index
        // serves then looks so expensive that PostgreSQL would compile it first, which takes 100 ms and more: no jit. The server itself cancels a
        // statement that no caller waits for any more.
        connection.Options = string.Join(' ', new[]
        {
            connection.Options, "-c default_transaction_isolation=serializable", "-c enable_seqscan=off", "-c jit=off",
            $"-c lock_timeout={lockTimeout.TotalMilliseconds}ms", $"-c statement_timeout={PostgresDatabase.StatementTime.TotalSeconds}s",
        }.Where(option => !string.IsNullOrEmpty(option)));
        var source = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = NameOf(url, name) };
        // Background statements, such as the worker's poll twice a second, would each be a trace of one span.
        source.ConfigureTracing(static tracing => tracing
            .ConfigureCommandFilter(static _ => Activity.Current is not null)
            .ConfigureBatchFilter(static _ => Activity.Current is not null));
        return source.Build();
    }

    /// <summary>The pool's name in the connection metrics.</summary>
    private static string NameOf(PostgresUrl url, string name)
    {
        var to = url.ToNpgsql();
        return $"{to.Host}:{to.Port}/{to.Database}{name}";
    }
}
