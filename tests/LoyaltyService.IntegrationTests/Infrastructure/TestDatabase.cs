using System.Collections.Concurrent;
using LoyaltyService.Configuration;
using LoyaltyService.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

[assembly: AssemblyFixture(typeof(LoyaltyService.IntegrationTests.Infrastructure.DropTestDatabases))]

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// A database of a test's own: one on the real PostgreSQL server, or a new SQLite file. A database on the server is emptied and renamed
/// after its test, and used again: to create and drop one costs the server two checkpoints.
/// </summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private static readonly ConcurrentBag<string> Emptied = [];

    // Migrated once and copied from then on: each migration waits for the disk.
    private static readonly Lazy<byte[]> MigratedFile = new(MigrateFile);

    private readonly string? sqliteFolder;
    private readonly string? postgresName;
    private bool isDropped;

    private TestDatabase(string url, string? sqliteFolder, string? postgresName)
    {
        Url = url;
        this.sqliteFolder = sqliteFolder;
        this.postgresName = postgresName;
    }

    /// <summary>As DATABASE_URL.</summary>
    public string Url { get; }

    public DatabaseUrl Parsed => DatabaseUrl.Parse(Url).Value!;

    public static async Task<TestDatabase> CreateAsync(Backend backend, bool migrate = true)
    {
        if (backend is Backend.Sqlite)
            return CreateSqlite(migrate);
        var database = await CreatePostgresAsync();
        if (migrate)
            Migrator.Run(database.Parsed, NullLogger.Instance);
        return database;
    }

    /// <summary>A database on a server that a test brings, and that ends with it.</summary>
    public static TestDatabase At(string url) => new(url, null, null);

    /// <summary>A plain connection for a test that looks behind the service's back.</summary>
    public async Task<NpgsqlConnection> OpenPostgresAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(((PostgresUrl)Parsed).ToNpgsql().ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        if (sqliteFolder is not null)
            Directory.Delete(sqliteFolder, recursive: true);
        if (postgresName is not null && !isDropped)
        {
            await EmptyAsync();
            Emptied.Add(postgresName);
        }
    }

    /// <summary>Takes the database away, as somebody might by mistake.</summary>
    public async Task DropAsync()
    {
        isDropped = true;
        await RunOnServerAsync($"drop database {postgresName} with (force)");
    }

    /// <summary>Drops what was kept for use.</summary>
    public static Task DropEmptiedAsync() => Task.WhenAll(Emptied.Select(name => RunOnServerAsync($"drop database {name} with (force)")));

    private static async Task<TestDatabase> CreatePostgresAsync()
    {
        // A name of its own each time: what is in Redis about the last use is about another database.
        var name = "test_" + Guid.NewGuid().ToString("N");
        await RunOnServerAsync(Emptied.TryTake(out var emptied) ? $"alter database {emptied} rename to {name}" : $"create database {name}");
        var server = new UriBuilder(TestServers.PostgresUrl) { Path = name };
        return new TestDatabase(server.Uri.AbsoluteUri, null, name);
    }

    /// <summary>Every table that has rows, but the one that knows the migrations; what other tests left connected, such as a killed process, goes first.</summary>
    private async Task EmptyAsync()
    {
        await using var connection = await OpenPostgresAsync();
        await Eventually.BecomesTrueAsync(
            async () => await RunAsync(
                connection,
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()") is 0L,
            "nobody else is connected");
        const string Filled = """
            select string_agg(relname, ', ') from pg_class
             where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'schema_versions' and pg_relation_size(oid) > 0
            """;
        if (await RunAsync(connection, Filled) is string tables)
            await RunAsync(connection, $"truncate {tables}");
        await RunAsync(connection, "select pg_stat_reset()");
    }

    private static async Task<object?> RunAsync(NpgsqlConnection connection, string statement)
    {
        // Without a bound of its own: a database is dropped with a checkpoint, for which a busy disk may take minutes.
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
        return await command.ExecuteScalarAsync();
    }

    private static TestDatabase CreateSqlite(bool migrate)
    {
        var folder = Directory.CreateTempSubdirectory("loyalty-test-").FullName;
        var file = Path.Combine(folder, "loyalty.db");
        if (migrate)
            File.WriteAllBytes(file, MigratedFile.Value);
        return new TestDatabase("sqlite:" + file, folder, null);
    }

    private static byte[] MigrateFile()
    {
        var database = CreateSqlite(migrate: false);
        Migrator.Run(database.Parsed, NullLogger.Instance);
        var file = File.ReadAllBytes(((SqliteUrl)database.Parsed).SqlitePath);
        Directory.Delete(database.sqliteFolder!, recursive: true);
        return file;
    }

    private static async Task RunOnServerAsync(string statement)
    {
        var url = (PostgresUrl)DatabaseUrl.Parse(TestServers.PostgresUrl).Value!;
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(url.ToNpgsql().ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await RunAsync(connection, statement);
    }
}

/// <summary>After the last test, nothing is left on a server that was given.</summary>
public sealed class DropTestDatabases : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await TestDatabase.DropEmptiedAsync();
}

/// <summary>The two back ends that the same tests run on.</summary>
public enum Backend
{
    Postgres,
    Sqlite,
}
