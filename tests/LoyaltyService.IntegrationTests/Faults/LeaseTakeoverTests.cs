using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A replica dies in the middle of a finalize that nobody repeats: its lease ends by itself, and another replica goes on.</summary>
public sealed class LeaseTakeoverTests
{
    [Fact]
    public async Task An_intent_whose_request_died_is_taken_over_when_its_lease_runs_out()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres, migrate: false);
        await using var dying = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = "request.finalize.answered=kill" });
        await using var living = await LoyaltyApp.StartAsync(Backend.Postgres, database: database, pdi: pdi);

        // The till never comes back, and nobody moves the clock: another replica's worker finishes the sale.
        await Assert.ThrowsAnyAsync<Exception>(() => Till.UntilItDies(dying).SellAsync("CUST-12345", "TXN-1"));
        await dying.WaitForExitAsync();
        var books = new Books(database, Backend.Postgres);
        // Waits for the last of the lease's 12 seconds only.
        await books.ExecuteAsync("update pdi_work set lease_until = least(lease_until, now() + interval '1 second')");
        await Eventually.BecomesTrueAsync(
            async () => await books.CountAsync("select count(*) from sessions where status = 'finalized'") == 1,
            "another replica has finished the sale");

        await books.AgreeWithPdiAsync(pdi, sales: 1);
    }
}
