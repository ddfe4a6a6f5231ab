using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// kill -9 at every step of every request. The service dies there, is started again, and the till sends the same request until it is
/// answered: the sale counts once, at PDI and here.
/// </summary>
public abstract class KillRequestTests(Backend backend)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Theory]
    [InlineData("identify.created")]
    [InlineData("identify.answered")]
    [InlineData("identify.stored")]
    [InlineData("calculate.answered")]
    [InlineData("calculate.stored")]
    [InlineData("finalize.intended")]
    [InlineData("request.finalize.answered")]
    [InlineData("request.finalize.stored")]
    public async Task A_sale_whose_request_dies_counts_once(string step)
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(backend, migrate: false);
        var books = new Books(database, backend);
        await using var first = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = $"{step}=kill" });
        var replica = first.Address;
        var till = new Till(() => replica, Patience);
        var before = await pdi.BalanceAsync("CUST-12345");

        var sale = till.SellAsync("CUST-12345", "TXN-1");
        await first.WaitForExitAsync();
        await books.LeasesRunOutAsync();
        await using var second = await LoyaltyApp.StartAsync(backend, database: database, pdi: pdi);
        replica = second.Address;
        var receipt = await sale;

        Assert.Contains(0, till.Retried);
        Assert.Equal(450, receipt.GetProperty("earnedPoints").GetInt64());
        Assert.Equal(before + 450, await pdi.BalanceAsync("CUST-12345"));
        await second.StopAsync();
        await books.AreClosedAsync(sales: 1);
        await books.AgreeWithPdiAsync(pdi, sales: 1);
    }
}

public sealed class KillRequestOnPostgresTests() : KillRequestTests(Backend.Postgres);

public sealed class KillRequestOnSqliteTests() : KillRequestTests(Backend.Sqlite);
