using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// kill -9 at every step of the worker: what was accepted is settled by whoever comes next, and counts once, at PDI and here.
/// </summary>
public abstract class KillWorkerTests(Backend backend)
{
    private const string Transaction = "TXN-1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Theory]
    [InlineData("worker.claimed")]
    [InlineData("worker.identify.answered")]
    [InlineData("worker.finalize.answered")]
    [InlineData("worker.finalize.stored")]
    public async Task A_sale_whose_worker_dies_counts_once(string step)
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(backend, migrate: false);
        var books = new Books(database, backend);
        await using var taking = await LoyaltyApp.StartAsync(backend, database: database, pdi: pdi);
        // PDI is gone: the sale is taken whole, and waits.
        await pdi.OutageAsync();
        await TakeAsync(taking);
        await taking.StopAsync();

        await pdi.HealAsync();
        await books.LeasesRunOutAsync();
        await using var dying = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = $"{step}=kill" }, mayDie: true);
        await dying.WaitForExitAsync();
        await books.LeasesRunOutAsync();
        await using var last = await LoyaltyApp.StartAsync(backend, database: database, pdi: pdi);
        await Eventually.BecomesTrueAsync(
            async () => (await pdi.SummaryAsync()).GetProperty("finalized").GetInt64() == 1 && await IsFinalizedAsync(last), "the sale is settled", Patience);

        await last.StopAsync();
        await books.AreClosedAsync(sales: 1);
        await books.AgreeWithPdiAsync(pdi, sales: 1);
    }

    private static async Task TakeAsync(LoyaltyApp app)
    {
        var sale = await new Sale(app) { TransactionId = Transaction }.IdentifiedAsync();
        Assert.Equal(202, (await sale.FinalizeAsync()).Status);
    }

    private static async Task<bool> IsFinalizedAsync(LoyaltyApp app)
    {
        var sale = new Sale(app) { TransactionId = Transaction };
        // A repeat of the whole sale is how a till learns what became of it.
        return await sale.IdentifyAsync() is { Status: 200 } identified
            && (await (sale with { SessionId = identified.SessionId }).StatusAsync()).Json.GetProperty("status").GetString() == "finalized";
    }
}

public sealed class KillWorkerOnPostgresTests() : KillWorkerTests(Backend.Postgres);

public sealed class KillWorkerOnSqliteTests() : KillWorkerTests(Backend.Sqlite);
