using System.Collections.Concurrent;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>Three replicas under load, each killed again and again, at times all at once: nothing accepted is lost, nothing counts twice.</summary>
public sealed class KillAtRandomTests
{
    private const int Kills = 30;
    private const int Tills = 8;

    // A replica lives until it was sent so many requests, at random: more than all tills can have open at once, so that it has answered some, on
    // any machine.
    private const int LeastRequests = Tills + 1;
    private const int MostRequests = 3 * Tills;

    // Time left for the next replica to start.
    private static readonly TimeSpan BetweenSales = TimeSpan.FromMilliseconds(250);

    [Fact]
    public async Task Thirty_kills_under_load_lose_nothing_and_double_nothing()
    {
        await using var pdi = await Simulator.StartProcessAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var books = new Books(database, Backend.Postgres);
        await using var replicas = await Fleet.StartAsync(3, database, pdi.Address);
        var sent = new int[replicas.Size];
        var receipts = new ConcurrentDictionary<string, string>();
        using var closing = new CancellationTokenSource();

        var tills = Enumerable.Range(0, Tills).Select(async till =>
        {
            using var customers = new PeriodicTimer(BetweenSales);
            for (var number = 0; !closing.IsCancellationRequested; number++)
            {
                var transaction = $"TXN-{till}-{number}";
                var sale = new Till(Any, TimeSpan.FromSeconds(60));
                var receipt = await sale.SellAsync($"CUST-LOAD-{till}", transaction);
                Assert.True(receipts.TryAdd(transaction, receipt.GetProperty("receiptId").GetString()!));
                await customers.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        }).ToArray();

        await Task.WhenAll(Enumerable.Range(0, replicas.Size).Select(async victim =>
        {
            for (var kill = 0; kill < Kills / replicas.Size; kill++)
            {
                Volatile.Write(ref sent[victim], 0);
                var life = Random.Shared.Next(LeastRequests, MostRequests);
                await Eventually.BecomesTrueAsync(() => Task.FromResult(Volatile.Read(ref sent[victim]) >= life), "the tills sell", TimeSpan.FromSeconds(60));
                await replicas[victim].KillAsync();
                replicas[victim] = await ServiceProcess.StartServiceAsync(database, pdi.Address);
            }
        }));

        await closing.CancelAsync();
        await Task.WhenAll(tills);
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "nothing waits any more", TimeSpan.FromSeconds(60));

        Assert.True(receipts.Count >= Kills, $"Only {receipts.Count} sales went through {Kills} kills.");
        Assert.Equal(receipts.Count, receipts.Values.Distinct().Count());
        await books.AreClosedAsync(receipts.Count);
        await books.AgreeWithPdiAsync(pdi, receipts.Count);

        Uri Any()
        {
            var one = Random.Shared.Next(replicas.Size);
            Interlocked.Increment(ref sent[one]);
            return replicas[one].Address;
        }
    }
}
