using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>A real store on a database of its own, and a look at what stands in its tables.</summary>
internal sealed class StoreUnderTest(
    TestDatabase database, ISessionStore store, IIdempotencyKeyStore keys, Func<Guid, Task<bool>> hasWork, Func<ValueTask> close) : IAsyncDisposable
{
    public ISessionStore Store { get; } = store;

    public IIdempotencyKeyStore Keys { get; } = keys;

    public Task<bool> HasWorkAsync(Guid id) => hasWork(id);

    public static async Task<StoreUnderTest> CreateAsync(Backend backend)
    {
        var database = await TestDatabase.CreateAsync(backend);
        if (backend is Backend.Postgres)
        {
            var postgres = new PostgresDatabase(
                PostgresDatabase.CreateSource((PostgresUrl)database.Parsed), TimeProvider.System, NullLogger<PostgresDatabase>.Instance);
            return new StoreUnderTest(
                database, new PostgresSessionStore(postgres), new PostgresIdempotencyKeyStore(postgres), HasPostgresWork, postgres.DisposeAsync);
        }

        var sqlite = new SqliteDatabase(((SqliteUrl)database.Parsed).SqlitePath);
        return new StoreUnderTest(database, new SqliteSessionStore(sqlite), new SqliteIdempotencyKeyStore(sqlite), HasSqliteWork, () =>
        {
            sqlite.Dispose();
            return ValueTask.CompletedTask;
        });

        async Task<bool> HasPostgresWork(Guid id)
        {
            await using var connection = await database.OpenPostgresAsync();
            await using var command = new NpgsqlCommand("select exists (select from pdi_work where session_id = $1)", connection) { Parameters = { Param.Of(id) } };
            return (bool)(await command.ExecuteScalarAsync())!;
        }

        Task<bool> HasSqliteWork(Guid id) => sqlite.ReadAsync(connection =>
        {
            using var command = connection.Command("select exists (select 1 from pdi_work where session_id = $id)", ("$id", id.ToBlob()));
            return (long)command.ExecuteScalar()! == 1;
        }, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await close();
        await database.DisposeAsync();
    }
}
