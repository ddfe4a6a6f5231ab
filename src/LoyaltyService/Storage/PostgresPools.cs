using System.Diagnostics;
using LoyaltyService.Configuration;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>
/// A replica's connections to PostgreSQL: a few for what is committed together (<see cref="PostgresDatabase.QueryTogetherAsync"/>), which many
/// callers wait for at once, and the others for all else. What each of them is told when it is opened stands here.
/// </summary>
internal sealed class PostgresPools : IAsyncDisposable
{
    /// <summary>How many batches are on the wire at most.</summary>
    public const int Batches = 3;

    // A connection whose server says nothing is given up, long after its caller was: for that the driver asks the server to cancel and holds a
    // thread while it does, up to 2 s. If it did so when the callers' time is over, they would wait for these threads to be told.
    private static readonly TimeSpan GivenUpAfter = 3 * PostgresDatabase.StatementTime;

    /// <summary>brief: 5 s to acquire a row's lock.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A batch waits for no row that somebody else holds: what meets one is better off by itself, and the others without it.</summary>
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
        // The statements prepare themselves (PostgresDatabase). If the driver did it on its own, a statement that fails while it is being prepared
        // would leave a connection whose next use of it is misread ("unexpected backend message").
        connection.MaxAutoPrepare = 0;
        // Nothing on a connection outlives its statement, so there is nothing to reset between two uses.
        connection.NoResetOnClose = true;
        connection.CommandTimeout = (int)GivenUpAfter.TotalSeconds;
        connection.ApplicationName ??= "loyalty-service";
        // A small table that is scanned whole is locked whole under serializable isolation, so the planner is told to use the index.
        // A scan that no index can serve then looks so dear that PostgreSQL would compile it first, which takes 100 ms and more: no jit.
        // A statement for which nobody waits any more is ended by the server itself.
        connection.Options = string.Join(' ', new[]
        {
            connection.Options, "-c default_transaction_isolation=serializable", "-c enable_seqscan=off", "-c jit=off",
            $"-c lock_timeout={lockTimeout.TotalMilliseconds}ms", $"-c statement_timeout={PostgresDatabase.StatementTime.TotalSeconds}s",
        }.Where(option => !string.IsNullOrEmpty(option)));
        var source = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = NameOf(url, name) };
        // What runs without a cause, such as a look for due work twice a second, would be a trace of one span each time.
        source.ConfigureTracing(static tracing => tracing
            .ConfigureCommandFilter(static _ => Activity.Current is not null)
            .ConfigureBatchFilter(static _ => Activity.Current is not null));
        return source.Build();
    }

    /// <summary>What the pool is called where connections are counted.</summary>
    private static string NameOf(PostgresUrl url, string name)
    {
        var to = url.ToNpgsql();
        return $"{to.Host}:{to.Port}/{to.Database}{name}";
    }
}
