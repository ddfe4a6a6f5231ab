using LoyaltyService.Configuration;
using LoyaltyService.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A database of a test's own, migrated: a new one on the real PostgreSQL server, or a new SQLite file. Gone afterwards.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly string? sqliteFolder;
    private readonly string? postgresName;

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
        var database = backend is Backend.Postgres ? await CreatePostgresAsync() : CreateSqlite();
        if (migrate)
            Migrator.Run(database.Parsed, NullLogger.Instance);
        return database;
    }

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
        if (postgresName is not null)
            await RunOnServerAsync($"drop database if exists {postgresName} with (force)");
    }

    private static async Task<TestDatabase> CreatePostgresAsync()
    {
        var name = "test_" + Guid.NewGuid().ToString("N");
        await RunOnServerAsync($"create database {name}");
        var server = new UriBuilder(TestServers.PostgresUrl) { Path = name };
        return new TestDatabase(server.Uri.AbsoluteUri, null, name);
    }

    private static TestDatabase CreateSqlite()
    {
        var folder = Directory.CreateTempSubdirectory("loyalty-test-").FullName;
        return new TestDatabase("sqlite:" + Path.Combine(folder, "loyalty.db"), folder, null);
    }

    private static async Task RunOnServerAsync(string statement)
    {
        var url = (PostgresUrl)DatabaseUrl.Parse(TestServers.PostgresUrl).Value!;
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(url.ToNpgsql().ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>The two back ends that the same tests run on.</summary>
public enum Backend
{
    Postgres,
    Sqlite,
}
