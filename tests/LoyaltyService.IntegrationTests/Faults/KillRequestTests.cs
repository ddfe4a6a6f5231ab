using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// kill -9 at every step of every request. The service dies there, is started again, and the till sends the same request until it is
/// answered: the sale counts once, at PDI and here.
/// </summary>
public sealed class KillRequestTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    /// <summary>Every failpoint that a till's own request passes.</summary>
    public static TheoryData<Backend, string> Steps => Step.OnBothBackEnds(
        "identify.created", "identify.answered", "identify.stored", "calculate.answered", "calculate.stored",
        "finalize.intended", "request.finalize.answered", "request.finalize.stored");

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_sale_whose_request_dies_counts_once(Backend backend, string step)
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(backend, migrate: false);
        var books = new Books(database, backend);
        await using var first = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = $"{step}=kill" });
        var replica = first;
        var till = new Till(() => replica.Address, Patience);
        var before = await pdi.BalanceAsync("CUST-12345");

        var sale = till.SellAsync("CUST-12345", "TXN-1");
        await first.WaitForExitAsync();
        await books.LeasesRunOutAsync();
        await using var second = await ServiceProcess.StartServiceAsync(database, pdi.Address);
        replica = second;
        var receipt = await sale;

        Assert.Contains(0, till.Retried);
        Assert.Equal(450, receipt.GetProperty("earnedPoints").GetInt64());
        Assert.Equal(before + 450, await pdi.BalanceAsync("CUST-12345"));
        await second.KillAsync();
        await books.AreClosedAsync(sales: 1);
        await books.AgreeWithPdiAsync(pdi, sales: 1);
    }
}
