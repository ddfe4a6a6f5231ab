using System.Reflection;
using DbUp;
using DbUp.Builder;
using DbUp.Engine.Output;
using LoyaltyService.Configuration;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace LoyaltyService.Storage;

/// <summary>
/// Migrates the schema: plain numbered SQL files, each run once, in its own transaction, and recorded in <c>schema_versions</c>. One replica
/// migrates at a time: the others wait for PostgreSQL's advisory lock and then find nothing to do.
/// </summary>
internal static class Migrator
{
    // Any fixed number works; it only has to differ from other users of advisory locks in the same database.
    private const long AdvisoryLock = 0x6C6F79616C7479;

    /// <exception cref="DatabaseUnavailableException">The database cannot be reached, or a migration failed.</exception>
    public static void Run(DatabaseUrl database, ILogger logger)
    {
        switch (database)
        {
            case PostgresUrl postgres:
                RunPostgres(postgres.ToNpgsql().ConnectionString, logger);
                break;
            case SqliteUrl sqlite:
                RunSqlite(sqlite.SqlitePath, logger);
                break;
            default:
                throw new InvalidOperationException($"No migrations for {database.GetType().Name}.");
        }
    }

    /// <summary>What <see cref="Run"/> would run on the database now, in order: names and SQL. Changes nothing.</summary>
    /// <exception cref="DatabaseUnavailableException">The database cannot be reached.</exception>
    public static IReadOnlyList<(string Name, string Sql)> Pending(DatabaseUrl database)
    {
        try
        {
            return database switch
            {
                PostgresUrl postgres => Pending(OnPostgres(postgres.ToNpgsql().ConnectionString), "postgres"),
                // Opening a missing file would create it.
                SqliteUrl sqlite => Pending(OnSqlite(File.Exists(sqlite.SqlitePath) ? sqlite.SqlitePath : ":memory:"), "sqlite"),
                _ => throw new InvalidOperationException($"No migrations for {database.GetType().Name}."),
            };
        }
        catch (NpgsqlException broken)
        {
            throw new DatabaseUnavailableException("The database cannot be asked for its migrations.", broken);
        }
    }

    private static void RunPostgres(string connectionString, ILogger logger)
    {
        try
        {
            using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
            connection.Open();
            using var takeLock = new NpgsqlCommand("select pg_advisory_lock($1)", connection) { Parameters = { Param.Of(AdvisoryLock) } };
            // A migration of a large table may run for minutes; a replica that starts meanwhile waits.
            takeLock.CommandTimeout = 0;
            takeLock.ExecuteNonQuery();
            // The lock is released with the connection, however this method ends.
            Upgrade(OnPostgres(connectionString), "postgres", logger);
        }
        catch (NpgsqlException broken)
        {
            throw new DatabaseUnavailableException("The database cannot be reached for its migrations.", broken);
        }
    }

    private static void RunSqlite(string path, ILogger logger)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        Upgrade(OnSqlite(path), "sqlite", logger);
    }

    private static UpgradeEngineBuilder OnPostgres(string connectionString) =>
        DeployChanges.To.PostgresqlDatabase(connectionString).JournalToPostgresqlTable("public", "schema_versions");

    private static UpgradeEngineBuilder OnSqlite(string path) => DeployChanges.To
        .SqliteDatabase(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString)
        .JournalToSqliteTable("schema_versions");

    private static IReadOnlyList<(string Name, string Sql)> Pending(UpgradeEngineBuilder builder, string folder) =>
        [.. Scripts(builder, folder).LogToNowhere().Build().GetScriptsToExecute().Select(script => (script.Name, script.Contents))];

    private static UpgradeEngineBuilder Scripts(UpgradeEngineBuilder builder, string folder) => builder
        .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), name => name.StartsWith(folder + "/", StringComparison.Ordinal))
        .WithTransactionPerScript()
        .WithVariablesDisabled();

    private static void Upgrade(UpgradeEngineBuilder builder, string folder, ILogger logger)
    {
        var result = Scripts(builder, folder).LogTo(new Log(logger)).Build().PerformUpgrade();
        if (!result.Successful)
            throw new DatabaseUnavailableException($"The migration {result.ErrorScript?.Name} failed.", result.Error);
    }

    /// <summary>DbUp's messages in the service's log: its progress as debug, its errors as errors.</summary>
    private sealed class Log(ILogger logger) : IUpgradeLog
    {
#pragma warning disable CA2254, CA1848, CA1873 // DbUp formats its own messages; it runs once, at start.
        public void LogTrace(string format, params object[] args) => logger.LogTrace(format, args);

        public void LogDebug(string format, params object[] args) => logger.LogDebug(format, args);

        public void LogInformation(string format, params object[] args) => logger.LogDebug(format, args);

        public void LogWarning(string format, params object[] args) => logger.LogWarning(format, args);

        public void LogError(string format, params object[] args) => logger.LogError(format, args);

        public void LogError(Exception ex, string format, params object[] args) => logger.LogError(ex, format, args);
#pragma warning restore
    }
}
