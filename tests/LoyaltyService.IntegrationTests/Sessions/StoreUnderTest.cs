using System.Diagnostics.Metrics;
using LoyaltyService.Configuration;
using LoyaltyService.Idempotency;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Jobs;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>The real stores on a separate database, with direct access to its tables.</summary>
internal sealed class StoreUnderTest(
    TestDatabase database, ISessionStore store, IIdempotencyKeyStore keys, IPdiWorkStore work, ISessionUpkeep upkeep, IJobRunStore runs, WorkTable table,
    Func<ValueTask> close) : IAsyncDisposable
{
    private Func<Task> openWholePool = static () => Task.CompletedTask;

    public TestDatabase Database { get; } = database;

    public ISessionUpkeep Upkeep { get; } = upkeep;

    public IJobRunStore Runs { get; } = runs;

    public ISessionStore Store { get; } = store;

    public IIdempotencyKeyStore Keys { get; } = keys;

    public IPdiWorkStore Work { get; } = work;

    public async Task<bool> HasWorkAsync(Guid id) => await Work.FindAsync(id, CancellationToken.None) is not null;

    /// <summary>The lease time that the queue row was written with.</summary>
    public Task<TimeSpan> LeaseAsync(Guid id) => table.LeaseAsync(id);

    public Task<int> FenceAsync(Guid id) => table.FenceAsync(id);

    /// <summary>Moves the start of the session's wait back by the given time.</summary>
    public Task MakeOlderAsync(Guid id, TimeSpan by) => table.MakeOlderAsync(id, by);

    public static async Task<StoreUnderTest> CreateAsync(Backend backend, UpkeepLimits? upkeep = null)
    {
        var database = await TestDatabase.CreateAsync(backend);
        if (backend is Backend.Postgres)
        {
            var limits = new PostgresLimits();
            var pools = new PostgresPools((PostgresUrl)database.Parsed, limits);
            var postgres = new PostgresDatabase(pools, TimeProvider.System, new StorageMetrics(new Meter("test")), NullLogger<PostgresDatabase>.Instance);
            return new StoreUnderTest(
                database, new PostgresSessionStore(postgres, new PostgresSessionCommits(postgres, TimeProvider.System)), new PostgresIdempotencyKeyStore(postgres), new PostgresPdiWorkStore(postgres),
                new PostgresSessionUpkeep(postgres, upkeep ?? new UpkeepLimits()), new PostgresJobRunStore(postgres), new PostgresWorkTable(database), postgres.DisposeAsync)
            {
                openWholePool = () => OpenAsync(pools.ForStatements, limits.MaxConnections - PostgresPools.Batches),
            };
        }

        var sqlite = new SqliteDatabase(((SqliteUrl)database.Parsed).SqlitePath);
        return new StoreUnderTest(
            database, new SqliteSessionStore(sqlite), new SqliteIdempotencyKeyStore(sqlite), new SqlitePdiWorkStore(sqlite),
            new SqliteSessionUpkeep(sqlite), new SqliteJobRunStore(sqlite), new SqliteWorkTable(sqlite), () =>
        {
            sqlite.Dispose();
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Opens the connections first, so that a storm tests the statements and not the start of twenty server processes.</summary>
    public Task OpenWholePoolAsync() => openWholePool();

    private static async Task OpenAsync(NpgsqlDataSource source, int size)
    {
        var connections = new List<NpgsqlConnection>();
        for (var number = 0; number < size; number++)
            connections.Add(await source.OpenConnectionAsync());
        foreach (var connection in connections)
            await connection.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await close();
        await Database.DisposeAsync();
    }
}

/// <summary>Changes the queue table directly, bypassing its store.</summary>
internal abstract class WorkTable
{
    public abstract Task<TimeSpan> LeaseAsync(Guid id);

    public abstract Task<int> FenceAsync(Guid id);

    public abstract Task MakeOlderAsync(Guid id, TimeSpan by);
}

internal sealed class PostgresWorkTable(TestDatabase database) : WorkTable
{
    public override async Task<TimeSpan> LeaseAsync(Guid id)
    {
        await using var connection = await database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand("select lease_until - due_at from pdi_work where session_id = $1", connection) { Parameters = { Param.Of(id) } };
        return (TimeSpan)(await command.ExecuteScalarAsync())!;
    }

    public override async Task<int> FenceAsync(Guid id)
    {
        await using var connection = await database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand("select fence from pdi_work where session_id = $1", connection) { Parameters = { Param.Of(id) } };
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public override async Task MakeOlderAsync(Guid id, TimeSpan by)
    {
        await using var connection = await database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand("update pdi_work set created_at = created_at - $2 where session_id = $1", connection)
        {
            Parameters = { Param.Of(id), Param.Of(by) },
        };
        await command.ExecuteNonQueryAsync();
    }
}

internal sealed class SqliteWorkTable(SqliteDatabase database) : WorkTable
{
    public override Task<int> FenceAsync(Guid id) => database.ReadAsync(connection =>
    {
        using var command = connection.Command("select fence from pdi_work where session_id = $id", ("$id", id.ToBlob()));
        return (int)(long)command.ExecuteScalar()!;
    }, CancellationToken.None);

    public override Task<TimeSpan> LeaseAsync(Guid id) => database.ReadAsync(connection =>
    {
        using var command = connection.Command("select lease_until - due_at from pdi_work where session_id = $id", ("$id", id.ToBlob()));
        return TimeSpan.FromMilliseconds((long)command.ExecuteScalar()!);
    }, CancellationToken.None);

    public override Task MakeOlderAsync(Guid id, TimeSpan by) => database.WriteAsync(connection => connection.Execute(
        "update pdi_work set created_at = created_at - $by where session_id = $id", ("$id", id.ToBlob()), ("$by", by.ToMilliseconds())), CancellationToken.None);
}
