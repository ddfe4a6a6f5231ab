using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>PDI is gone until as many sales wait as may wait, and comes back. Every bound is the one that production has.</summary>
[Collection(nameof(RunsAlone))]
public sealed class LongOutageTests
{
    private const int Sales = 1000;

    [Fact]
    public async Task A_thousand_waiting_sales_are_settled_within_a_minute_of_PDIs_return()
    {
        await using var pdi = await Simulator.StartProcessAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        await using var service = await ServiceProcess.StartServiceAsync(database, pdi.Address);
        var books = new Books(database, Backend.Postgres);
        using var http = new HttpClient { BaseAddress = service.Address };
        await pdi.OutageAsync();

        await Parallel.ForEachAsync(Enumerable.Range(0, Sales), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) =>
        {
            var transaction = $"TXN-{number}";
            var identified = await PostAsync("identify", new { customerId = $"CUST-LOAD-{number % 100}", channelId = "POS-001", transactionId = transaction });
            await PostAsync("finalize", new { sessionId = identified.GetProperty("sessionId").GetString(), transactionId = transaction, finalAmount = 150.00m, applyRewards = true });
        });
        Assert.Equal(Sales, await books.CountAsync("select count(*) from pdi_work"));

        var back = Stopwatch.StartNew();
        await pdi.HealAsync();
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "nothing waits any more", TimeSpan.FromSeconds(60));
        TestContext.Current.TestOutputHelper!.WriteLine($"{Sales} sales were settled {back.Elapsed.TotalSeconds:F1} s after PDI's return.");

        await books.AreClosedAsync(Sales);
        await books.AgreeWithPdiAsync(pdi, Sales);

        async Task<JsonElement> PostAsync(string route, object body)
        {
            using var response = await http.PostAsJsonAsync("/loyalty/" + route, body);
            Assert.True((int)response.StatusCode == 202, await response.Content.ReadAsStringAsync());
            return await response.Content.ReadFromJsonAsync<JsonElement>();
        }
    }
}
