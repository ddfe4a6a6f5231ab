using System.Globalization;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Jobs;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.IntegrationTests.Sessions;
using LoyaltyService.Sessions;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Storage;

/// <summary>
/// With many old sessions, live and archived, every query of jobs, operators and tills reads only its rows, by an index. The server's
/// counters prove it: they count executed work, not plans. For a million sessions (a minute or two):
/// <c>MANY_SESSIONS=1000000 ./test.sh --filter-class '*ManySessionsTests'</c>.
/// </summary>
public sealed class ManySessionsTests
{
    // The total that the jobs and searches below may read from one table. Each reads at most one batch of 1,000.
    private const long Enough = 20_000;

    private static readonly int Sessions = int.Parse(Environment.GetEnvironmentVariable("MANY_SESSIONS") ?? "100000", CultureInfo.InvariantCulture);

    private static readonly string[] Tables = ["sessions", "session_events", "sessions_archive", "session_events_archive"];

    private static readonly string Old = $"""
        insert into sessions (
            id, sale_key, client, channel_id, transaction_id, customer_id, identify_fingerprint, created_at, expires_at, status, version, pdi_session_id,
            customer_name, current_points, tier, identified_version, earned_points, reward_source, finalize_fingerprint, finalize_key, final_amount,
            apply_rewards, redeem_points, new_balance, receipt_id, finalized_at)
        select gen_random_uuid(), gen_random_uuid(), 'local', 'POS-1', 'TXN-' || n, 'CUST-LOAD-' || n % {Sessions / 10}, gen_random_uuid(),
               at, at + interval '1 day', 'finalized', 5, 'pdi-' || n, 'Load Customer', 1000, 'Gold', 2, 450, 'pdi',
               gen_random_uuid(), gen_random_uuid(), 150.00, true, 0, 1450, 'RCP-' || n, at + interval '1 hour'
          from (select n, now() - interval '29 days' + interval '23 days' * (n / {Sessions}.0) as at from generate_series(1, {Sessions}) as n) as drawn
        """;

    // A tenth of them in the archive.
    private static readonly string Fill = $"""
        set synchronous_commit = off;
        {Old};
        insert into sessions_archive select now(), old.* from (select * from sessions where pdi_session_id like 'pdi-%' limit {Sessions / 10}) as old;
        insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until, finished_at, outcome)
        values ('expire-sessions', now() - interval '15 minutes', false, now() - interval '15 minutes', now(), now(), 'done');
        """;

    private static readonly string[] Searches =
        ["", "?customerId=CUST-LOAD-7", "?transactionId=TXN-4711", "?customerId=CUST-LOAD-7&status=finalized", "?status=active", "?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queries_for_few_sessions_read_few_rows()
    {
        await using var before = await LoyaltyApp.StartAsync(Backend.Postgres);
        var due = await SoldAsync(before);
        await before.MakeOlderAsync(TimeSpan.FromDays(30));
        var open = await new Sale(before).IdentifiedAsync();
        await before.ExecuteAsync($"update sessions set expires_at = now() - interval '1 minute' where transaction_id = '{open.TransactionId}'");
        await before.StopAsync();
        await using var connection = await before.Database.OpenPostgresAsync();
        await ExecuteAsync(connection, Fill);
        await ExecuteAsync(connection, "analyze");
        await ForgetAsync(connection);

        await using var app = await LoyaltyApp.StartAsync(
            Backend.Postgres, new() { ["AUTO_MIGRATE"] = "false" }, database: before.Database, pdi: before.Pdi);
        var sold = await SoldAsync(app);
        var repeated = await new Sale(app) { TransactionId = due.TransactionId, SessionId = due.SessionId }.FinalizeAsync();
        Assert.Equal(1, await app.RunJobAsync("expire-sessions"));
        Assert.Equal(1, await app.RunJobAsync("archive-sessions"));
        await app.RunJobAsync("reconciliation");
        var found = new List<int>();
        foreach (var search in Searches)
        {
            var page = await app.GetAsync("/ops/sessions" + search);
            Assert.True(page.Status == 200, page.Text);
            found.Add(page.Json.GetProperty("sessions").GetArrayLength());
        }

        foreach (var sale in new[] { due, sold })
            Assert.Equal(200, (await app.GetAsync($"/ops/sessions/{sale.SessionId}/events")).Status);
        await app.StopAsync();

        Assert.Equal(200, repeated.Status);
        Assert.Equal([50, 11, 2, 11, 0, 0], found);
        // A closed connection has reported its counters.
        await EndOthersAsync(connection);
        Assert.Equal("", await ReadAsync(connection, "select relname || ' ' || seq_scan from pg_stat_user_tables where seq_scan > 0 and relname = any ($1)"));
        Assert.Equal("", await ReadAsync(connection, $"select indexrelname || ' ' || idx_tup_read from pg_stat_user_indexes where idx_tup_read > {Enough} and relname = any ($1)"));
    }

    /// <summary>
    /// Statistics show few open sessions, many expire, and a sale waits for PDI. The planner must not choose a nested loop: with a batch 20
    /// times as large it would take 400 times as long, beyond the 10 s statement timeout.
    /// </summary>
    [Fact]
    public async Task An_expiry_takes_no_longer_when_a_sale_waits_for_PDI()
    {
        const int due = 20_000;
        await using var under = await StoreUnderTest.CreateAsync(Backend.Postgres, new UpkeepLimits { LogOfABatch = int.MaxValue });
        await under.OpenWholePoolAsync();
        await using var connection = await under.Database.OpenPostgresAsync();
        await ExecuteAsync(connection, Old);
        await ExecuteAsync(connection, "analyze");
        await ExecuteAsync(connection, $"""
            update sessions set status = 'active', finalized_at = null, expires_at = now() - interval '1 minute'
             where id = any (array(select id from sessions order by id limit {due}));
            insert into pdi_work (session_id, created_at, due_at)
            values (gen_random_uuid(), now(), now() + interval '1 hour');
            """);

        var now = TimeProvider.System.GetUtcNow();
        var batch = await under.Upkeep.ExpireAsync(new WalkPosition(now.AddMinutes(-2)), now, due, TimeSpan.Zero, Token);

        Assert.Equal(due, batch.Changed);
        Assert.Equal(1L, await ScalarAsync(connection, "select count(*) from pdi_work"));
    }

    private static async Task<Sale> SoldAsync(LoyaltyApp app)
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await sale.CalculateAsync();
        Assert.Equal(200, (await sale.FinalizeAsync()).Status);
        return sale;
    }

    /// <summary>The rows of a query on the large tables' statistics.</summary>
    private static async Task<string> ReadAsync(NpgsqlConnection connection, string query)
    {
        await using var command = new NpgsqlCommand($"select coalesce(string_agg(line, ', '), '') from ({query}) as found (line)", connection)
        {
            Parameters = { new() { Value = Tables } },
        };
        return (string)(await command.ExecuteScalarAsync(Token))!;
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string query)
    {
        await using var command = new NpgsqlCommand(query, connection);
        return await command.ExecuteScalarAsync(Token);
    }

    /// <summary>Resets the counters. Other connections may still hold unreported ones.</summary>
    private static async Task ForgetAsync(NpgsqlConnection connection)
    {
        await EndOthersAsync(connection);
        await ExecuteAsync(connection, "select pg_stat_force_next_flush()");
        await ExecuteAsync(connection, "select pg_stat_reset()");
    }

    private static Task EndOthersAsync(NpgsqlConnection connection) => Eventually.BecomesTrueAsync(
        async () =>
        {
            await using var end = new NpgsqlCommand(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()", connection);
            return await end.ExecuteScalarAsync(Token) is 0L;
        },
        "nobody else is connected");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync(Token);
    }
}
