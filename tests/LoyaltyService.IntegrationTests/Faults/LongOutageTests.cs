using System.Diagnostics;
using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Pdi;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// PDI is gone until as many sales wait as may wait, and comes back. Every bound is the one that production has, but for the 30 s within which
/// the breaker notices that PDI is back: they are cut to 3 s here, and taken off what the sales may take.
/// </summary>
[Collection(nameof(RunsAlone))]
public sealed class LongOutageTests
{
    private const int Sales = 1000;
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SettledWithin = TimeSpan.FromSeconds(60) - new PdiOptions().BreakerOpenTime + Noticed;

    [Fact]
    public async Task A_thousand_waiting_sales_are_settled_within_a_minute_of_PDIs_return()
    {
        await using var pdi = await Simulator.StartProcessAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        await using var app = await LoyaltyApp.StartAsync(
            Backend.Postgres, database: database, pdi: pdi, services: services => services.AddSingleton(new PdiOptions { BreakerOpenTime = Noticed }));
        var books = new Books(database, Backend.Postgres);
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
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "nothing waits any more", SettledWithin);
        TestContext.Current.TestOutputHelper!.WriteLine($"{Sales} sales were settled {back.Elapsed.TotalSeconds:F1} s after PDI's return.");

        await books.AreClosedAsync(Sales);
        await books.AgreeWithPdiAsync(pdi, Sales);

        async Task<JsonElement> PostAsync(string route, object body)
        {
            var answer = await app.PostAsync("/loyalty/" + route, body);
            Assert.True(answer.Status == 202, answer.ToString());
            return answer.Json;
        }
    }
}
