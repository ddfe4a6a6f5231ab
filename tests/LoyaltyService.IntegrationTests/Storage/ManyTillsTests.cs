using System.Globalization;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Storage;

/// <summary>What 32 concurrent tills cost the database, read from the server's statistics.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ManyTillsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_sales_by_32_tills_all_succeed_and_update_in_place()
    {
        const int Sales = 1000;
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);

        await Parallel.ForEachAsync(Enumerable.Range(0, Sales), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Token }, async (number, _) =>
        {
            var sale = new Sale(app) { CustomerId = $"CUST-LOAD-{number % 100}" };
            var identified = await sale.IdentifyAsync();
            Assert.True(identified.Status == 200, identified.Text);
            sale = sale with { SessionId = identified.SessionId };
            var calculated = await sale.CalculateAsync();
            Assert.True(calculated.Status == 200, calculated.Text);
            var finalized = await sale.FinalizeAsync();
            Assert.True(finalized.Status == 200, finalized.Text);
        });

        // A connection hands in its statistics when it ends, and else after up to 10 s.
        await app.StopAsync();
        await using var connection = await app.Database.OpenPostgresAsync();
        var updates = await Eventually.GetAsync(() => UpdatesAsync(connection, "sessions"), seen => seen.All >= Sales * 4, "the statistics show all updates");
        Assert.True(updates.Hot >= updates.All * 0.95, $"Only {updates.Hot} of {updates.All} updates of sessions were HOT.");
        Assert.Equal(Sales * 5L, await ScalarAsync(connection, "select count(*) from session_events"));
        Assert.Equal(0L, await ScalarAsync(connection, "select count(*) from pdi_work"));
        Assert.Equal(0L, await ScalarAsync(connection, "select count(*) from sessions where status <> 'finalized' or version <> 5"));
        Assert.Equal(Sales, (await app.Pdi.SummaryAsync()).GetProperty("finalized").GetInt32());
    }

    [Fact]
    public async Task Keys_of_32_concurrent_tills_all_succeed_and_update_in_place()
    {
        const int Sales = 200;
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);

        await Parallel.ForEachAsync(Enumerable.Range(0, Sales), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Token }, async (number, _) =>
        {
            var sale = new Sale(app) { CustomerId = $"CUST-LOAD-{number % 100}", Headers = [("Idempotency-Key", $"sale-{number}")] };
            var identified = await sale.IdentifyAsync();
            Assert.True(identified.Status == 200, identified.Text);
            var calculated = await (sale with { SessionId = identified.SessionId }).CalculateAsync();
            Assert.True(calculated.Status == 200, calculated.Text);
        });

        await app.StopAsync();
        await using var connection = await app.Database.OpenPostgresAsync();
        var updates = await Eventually.GetAsync(() => UpdatesAsync(connection, "idempotency_keys"), seen => seen.All >= Sales * 2, "the statistics show all updates");
        Assert.True(updates.Hot >= updates.All * 0.9, $"Only {updates.Hot} of {updates.All} updates of idempotency_keys were HOT.");
        Assert.Equal(Sales * 2L, await ScalarAsync(connection, "select count(*) from idempotency_keys where status = 200"));
    }

    private static async Task<(long All, long Hot)> UpdatesAsync(NpgsqlConnection connection, string table)
    {
        await using var command = new NpgsqlCommand("select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = $1", connection) { Parameters = { Param.Of(table) } };
        await using var row = await command.ExecuteReaderAsync(Token);
        await row.ReadAsync(Token);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    private static async Task<long> ScalarAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(Token), CultureInfo.InvariantCulture);
    }
}
