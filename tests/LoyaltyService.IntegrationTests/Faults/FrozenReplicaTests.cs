using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A replica that stops in the middle of a sale, for longer than its lease, and then goes on as if nothing had been.</summary>
public sealed class FrozenReplicaTests
{
    [Fact]
    public async Task Another_replica_takes_over_and_what_the_first_one_writes_late_is_refused()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var books = new Books(database, Backend.Postgres);
        await LeaveAnIntentAsync(database, pdi);
        await books.LeasesRunOutAsync();

        // Both replicas will be at PDI when they are looked at, and PDI has not committed.
        await pdi.FaultAsync("finalize", new { kind = "hang" });
        await using var frozen = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["LOG_LEVEL"] = "warn" });
        await pdi.IsAskedAsync("finalize", times: 1);
        frozen.Freeze();
        var fence = await books.CountAsync("select fence from pdi_work");
        await books.LeasesRunOutAsync();
        await using var other = await ServiceProcess.StartServiceAsync(database, pdi.Address);
        await Eventually.BecomesTrueAsync(
            async () => await books.CountAsync("select fence from pdi_work") == fence + 1, "the other replica has taken over");
        await pdi.IsAskedAsync("finalize", times: 2);

        frozen.Thaw();
        await frozen.LogsAsync("WorkItemTakenOver");
        Assert.Equal(1, await books.CountAsync($"select count(*) from pdi_work where lease_until is not null and fence = {fence + 1}"));
        await pdi.HealAsync();

        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "the sale is settled");
        await books.AreClosedAsync(sales: 1);
        await books.AgreeWithPdiAsync(pdi, sales: 1);
    }

    private static async Task LeaveAnIntentAsync(TestDatabase database, Simulator pdi)
    {
        await using var dying = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = "finalize.intended=kill" });
        await Assert.ThrowsAnyAsync<Exception>(() => Till.UntilItDies(dying).SellAsync("CUST-12345", "TXN-1"));
        await dying.WaitForExitAsync();
    }
}
