using System.Diagnostics;
using LoyaltyService.Configuration;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>The pool of connections to PostgreSQL, and what each of them is told when it is opened.</summary>
internal static class PostgresSource
{
    // A connection whose server says nothing is given up, long after its caller was: for that the driver asks the server to cancel and holds a
    // thread while it does, up to 2 s. If it did so when the callers' time is over, they would wait for these threads to be told.
    private static readonly TimeSpan GivenUpAfter = 3 * PostgresDatabase.StatementTime;

    public static NpgsqlDataSource Create(PostgresUrl url, PostgresLimits? limits = null)
    {
        limits ??= new PostgresLimits();
        var connection = url.ToNpgsql();
        connection.MinPoolSize = limits.MinConnections;
        connection.MaxPoolSize = limits.MaxConnections;
        connection.ConnectionLifetime = (int)limits.ConnectionLifetime.TotalSeconds;
        // The statements prepare themselves (PostgresDatabase). If the driver did it on its own, a statement that fails while it is being prepared
        // would leave a connection whose next use of it is misread ("unexpected backend message").
        connection.MaxAutoPrepare = 0;
        // Nothing on a connection outlives its statement, so there is nothing to reset between two uses.
        connection.NoResetOnClose = true;
        connection.GssEncryptionMode = GssEncryptionMode.Disable;
        connection.CommandTimeout = (int)GivenUpAfter.TotalSeconds;
        connection.ApplicationName ??= "loyalty-service";
        // A small table that is scanned whole is locked whole under serializable isolation, so the planner is told to use the index.
        // A scan that no index can serve then looks so dear that PostgreSQL would compile it first, which takes 100 ms and more: no jit.
        // 5 s is the brief's lock acquisition timeout. A statement for which nobody waits any more is ended by the server itself.
        connection.Options = string.Join(' ', new[]
        {
            connection.Options, "-c default_transaction_isolation=serializable", "-c enable_seqscan=off", "-c jit=off", "-c lock_timeout=5s",
            $"-c statement_timeout={PostgresDatabase.StatementTime.TotalSeconds}s",
        }.Where(option => !string.IsNullOrEmpty(option)));
        var source = new NpgsqlDataSourceBuilder(connection.ConnectionString) { Name = NameOf(connection) };
        // What runs without a cause, such as a look for due work twice a second, would be a trace of one span each time.
        source.ConfigureTracing(static tracing => tracing
            .ConfigureCommandFilter(static _ => Activity.Current is not null)
            .ConfigureBatchFilter(static _ => Activity.Current is not null));
        return source.Build();
    }

    /// <summary>What the pool is called where connections are counted.</summary>
    public static string NameOf(NpgsqlConnectionStringBuilder connection) => $"{connection.Host}:{connection.Port}/{connection.Database}";
}
