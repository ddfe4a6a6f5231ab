using System.Globalization;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Storage;

/// <summary>The conditions that keep serializable isolation cheap, read from the server's statistics.</summary>
public sealed class PostgresTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_connection_is_serializable_and_prefers_indexes()
    {
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        await using var pools = new PostgresPools((PostgresUrl)database.Parsed, new PostgresLimits());

        // Holds each connection until all are checked.
        var open = await Task.WhenAll(Enumerable.Range(0, 20).Select(number =>
            (number < PostgresPools.Batches ? pools.ForBatches : pools.ForStatements).OpenConnectionAsync(Token).AsTask()));
        var connections = await Task.WhenAll(open.Select(async connection =>
        {
            await using var command = new NpgsqlCommand(
                "select pg_backend_pid(), current_setting('transaction_isolation'), current_setting('enable_seqscan'), current_setting('lock_timeout'), current_setting('jit')", connection);
            await using var row = await command.ExecuteReaderAsync(Token);
            await row.ReadAsync(Token);
            return (Pid: row.GetInt32(0), Isolation: row.GetString(1), Scans: row.GetString(2), LockTimeout: row.GetString(3), Jit: row.GetString(4));
        }));
        Assert.Equal((0, 20), pools.Count());
        await Task.WhenAll(open.Select(connection => connection.DisposeAsync().AsTask()));

        Assert.Equal((20, 0), pools.Count());
        Assert.Equal(20, connections.Select(connection => connection.Pid).Distinct().Count());
        Assert.All(connections, connection => Assert.Equal(("serializable", "off", "off"), (connection.Isolation, connection.Scans, connection.Jit)));
        // brief: 5 s to acquire a lock.
        Assert.Equal([.. Enumerable.Repeat("50ms", PostgresPools.Batches), .. Enumerable.Repeat("5s", 20 - PostgresPools.Batches)], connections.Select(connection => connection.LockTimeout));
    }

    /// <summary>A new column needs a decision: columns that no query searches need no statistics (0007).</summary>
    [Fact]
    public async Task The_server_keeps_statistics_of_few_columns()
    {
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        await using var connection = await database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand(
            """
            select attrelid::regclass || ' ' || attstattarget || ': ' || string_agg(attname, ', ' order by attname)
              from pg_attribute
             where attrelid in ('sessions'::regclass, 'session_events'::regclass, 'sessions_archive'::regclass, 'session_events_archive'::regclass)
               and attnum > 0 and not attisdropped and attstattarget is distinct from 0
             group by attrelid, attstattarget order by 1
            """,
            connection);
        await using var rows = await command.ExecuteReaderAsync(Token);
        var found = new List<string>();
        while (await rows.ReadAsync(Token))
            found.Add(rows.GetString(0));

        Assert.Equal(
            [
                "session_events 10: session_id, status", "session_events_archive 10: session_id, status",
                "sessions 10: created_at, customer_id, expires_at, id, sale_key, status, transaction_id",
                "sessions_archive 10: created_at, customer_id, expires_at, id, sale_key, status, transaction_id",
            ],
            found);
    }

    /// <summary>With the default cost limit every sale waits for the vacuum of a large table after archiving (0008).</summary>
    [Fact]
    public async Task Vacuum_of_growing_tables_has_a_low_cost_limit()
    {
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        await using var connection = await database.OpenPostgresAsync();

        var gentle = await ScalarAsync(connection, """
            select count(*) from pg_class
             where relname in ('sessions', 'session_events', 'sessions_archive', 'session_events_archive')
               and reloptions @> array['autovacuum_vacuum_cost_limit=20', 'autovacuum_vacuum_cost_delay=2']
            """);

        Assert.Equal(4, gentle);
    }

    [Fact]
    public async Task A_commit_that_fails_after_reading_rows_is_a_failure()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var database = app.Services.GetRequiredService<PostgresDatabase>();
        await using var connection = await app.Database.OpenPostgresAsync();
        await using (var command = new NpgsqlCommand("create table checked_late (id int primary key, other int references checked_late deferrable initially deferred)", connection))
            await command.ExecuteNonQueryAsync(Token);
        const string statement = "insert into checked_late values (1, 2) returning id::text";

        await AssertRefusedAsync(() => database.QueryAsync(statement, [], static row => row.GetString(0), Token));
        await AssertRefusedAsync(() => database.ListAsync(statement, [], static row => row.GetString(0), Token));
        await AssertRefusedAsync(() => database.ListReadCommittedAsync(statement, [], static row => row.GetString(0), Token));
        await AssertRefusedAsync(() => database.ExecuteAsync(statement, [], Token));
        Assert.Equal(0L, await ScalarAsync(connection, "select count(*) from checked_late"));

        static async Task AssertRefusedAsync(Func<Task> run) =>
            Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, (await Assert.ThrowsAsync<PostgresException>(run)).SqlState);
    }

    [Theory]
    [InlineData(PostgresErrorCodes.SerializationFailure, 1 + PostgresDatabase.MaxRetries)]
    [InlineData(PostgresErrorCodes.DeadlockDetected, 1 + PostgresDatabase.MaxRetries)]
    [InlineData(PostgresErrorCodes.LockNotAvailable, 1)]
    public async Task Every_rolled_back_statement_is_counted(string sqlState, int times)
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var database = app.Services.GetRequiredService<PostgresDatabase>();

        await Assert.ThrowsAsync<OverloadedException>(() => database.ExecuteAsync(
            $"do $$ begin raise exception using errcode = '{sqlState}'; end $$", [], Token));

        Assert.Equal(times, (await Scrape.ReadAsync(app))["db_transaction_rollbacks"]);
    }

    [Fact]
    public async Task A_session_locked_for_over_five_seconds_returns_503()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var sale = await new Sale(app).IdentifiedAsync();
        await using var holder = await app.Database.OpenPostgresAsync();
        await using var transaction = await holder.BeginTransactionAsync(Token);
        await using var hold = new NpgsqlCommand("select from sessions for update", holder, transaction);
        await hold.ExecuteNonQueryAsync(Token);

        var started = TimeProvider.System.GetTimestamp();
        var refused = await sale.CalculateAsync();

        Assert.Equal((503, "overloaded", true), (refused.Status, refused.Code, refused.Headers.ContainsKey("Retry-After")));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(20));
        await transaction.CommitAsync(Token);
        Assert.Equal(200, (await sale.CalculateAsync()).Status);
    }

    [Fact]
    public async Task The_database_refuses_forbidden_states()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var sale = await new Sale(app).IdentifiedAsync();
        await sale.FinalizeAsync();
        await using var connection = await app.Database.OpenPostgresAsync();

        await RefusesAsync("insert into sessions select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).* from sessions s", PostgresErrorCodes.UniqueViolation);
        await RefusesAsync("update sessions set status = 'lost'", PostgresErrorCodes.CheckViolation);
        await RefusesAsync("update sessions set receipt_id = null", PostgresErrorCodes.CheckViolation);
        await RefusesAsync("update sessions set earned_points = -1", PostgresErrorCodes.CheckViolation);
        await RefusesAsync("update sessions set finalize_key = null", PostgresErrorCodes.CheckViolation);
        await RefusesAsync("insert into idempotency_keys (key, fingerprint, created_at) values (gen_random_uuid(), gen_random_uuid(), now())", PostgresErrorCodes.CheckViolation);
        await RefusesAsync("insert into session_events select * from session_events", PostgresErrorCodes.UniqueViolation);

        async Task RefusesAsync(string statement, string sqlState)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Token));
            Assert.Equal(sqlState, refused.SqlState);
        }
    }

    private static async Task<long> ScalarAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(Token), CultureInfo.InvariantCulture);
    }
}
