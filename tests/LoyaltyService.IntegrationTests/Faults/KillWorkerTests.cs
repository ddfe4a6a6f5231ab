using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// kill -9 at every step of the worker, and of a request that nobody repeats: what was accepted is settled by whoever comes next, and
/// counts once, at PDI and here.
/// </summary>
public sealed class KillWorkerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    /// <summary>Every failpoint that the worker passes.</summary>
    public static TheoryData<Backend, string> Steps => Step.OnBothBackEnds(
        "worker.claimed", "worker.identify.answered", "worker.finalize.answered", "worker.finalize.stored");

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_sale_whose_worker_dies_counts_once(Backend backend, string step)
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(backend, migrate: false);
        var books = new Books(database, backend);
        await using (var taking = await ServiceProcess.StartServiceAsync(database, pdi.Address))
        {
            // PDI is gone: the sale is taken whole, and waits.
            await pdi.OutageAsync();
            await TakeAsync(taking.Address);
            await taking.KillAsync();
        }

        await pdi.HealAsync();
        await books.LeasesRunOutAsync();
        await using var dying = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = $"{step}=kill" }, mayDie: true);
        await dying.WaitForExitAsync();
        await books.LeasesRunOutAsync();
        await using var last = await ServiceProcess.StartServiceAsync(database, pdi.Address);
        await Eventually.BecomesTrueAsync(
            async () => (await pdi.SummaryAsync()).GetProperty("finalized").GetInt64() == 1 && await IsFinalizedAsync(last.Address), "the sale is settled", Patience);

        await last.KillAsync();
        await books.AreClosedAsync(sales: 1);
        await books.AgreeWithPdiAsync(pdi, sales: 1);
    }

    [Fact]
    public async Task An_intent_whose_request_died_is_taken_over_when_its_lease_runs_out()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres, migrate: false);
        await using var dying = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = "request.finalize.answered=kill" });
        await using var living = await ServiceProcess.StartServiceAsync(database, pdi.Address);
        var replica = dying;
        var till = new Till(() => replica.Address, TimeSpan.FromSeconds(1));

        // The till never comes back, and nobody moves the clock: another replica's worker finishes the sale.
        await Assert.ThrowsAnyAsync<Exception>(() => till.SellAsync("CUST-12345", "TXN-1"));
        await dying.WaitForExitAsync();
        await Eventually.BecomesTrueAsync(
            async () => await new Books(database, Backend.Postgres).CountAsync("select count(*) from sessions where status = 'finalized'") == 1,
            "another replica has finished the sale", TimeSpan.FromSeconds(30));

        await new Books(database, Backend.Postgres).AgreeWithPdiAsync(pdi, sales: 1);
    }

    private static async Task TakeAsync(Uri service)
    {
        using var http = new HttpClient { BaseAddress = service };
        var session = (await PostAsync(http, "identify", """{"customerId":"CUST-12345","channelId":"POS-001","transactionId":"TXN-1"}""")).SessionId;
        var taken = await PostAsync(http, "finalize", $$"""{"sessionId":"{{session}}","transactionId":"TXN-1","finalAmount":150.00,"applyRewards":true}""");
        Assert.Equal(202, taken.Status);
    }

    private static async Task<bool> IsFinalizedAsync(Uri service)
    {
        using var http = new HttpClient { BaseAddress = service };
        // A repeat of the whole sale is how a till learns what became of it.
        return (await PostAsync(http, "identify", """{"customerId":"CUST-12345","channelId":"POS-001","transactionId":"TXN-1"}""")) is { Status: 200 } identified
            && (await Answer.ReadAsync(await http.GetAsync($"/loyalty/sessions/{identified.SessionId}"))).Json.GetProperty("status").GetString() == "finalized";
    }

    private static async Task<Answer> PostAsync(HttpClient http, string route, string json)
    {
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        using var response = await http.PostAsync("/loyalty/" + route, content);
        return await Answer.ReadAsync(response);
    }
}
