using System.Collections.Concurrent;
using System.Diagnostics;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>PostgreSQL goes away under tills that sell, and comes back. Every till is told so in time, and nothing it was promised is lost.</summary>
[Collection(nameof(RunsAlone))]
public sealed class PostgresCrashTests
{
    private const int Tills = 8;
    private const int SalesBefore = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A statement's 10 s, and room to wait for a connection first.
    private static readonly TimeSpan LatestAnswer = TimeSpan.FromSeconds(12);

    public enum Crash
    {
        StoppedAtOnce,
        OneBackendKilled,
        Restarted,
        StoodStill,
    }

    [Theory]
    [InlineData(Crash.StoppedAtOnce)]
    [InlineData(Crash.OneBackendKilled)]
    [InlineData(Crash.Restarted)]
    [InlineData(Crash.StoodStill)]
    public async Task What_was_acknowledged_is_there_afterwards_and_the_service_answers_again_within_15_s(Crash crash)
    {
        await using var server = await PrivatePostgres.StartNewAsync();
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres, database: server.Database);
        var books = new Books(server.Database, Backend.Postgres);
        var receipts = new ConcurrentDictionary<string, string>();
        var seen = new ConcurrentQueue<(Answer Answer, TimeSpan Took)>();
        using var closing = new CancellationTokenSource();
        var tills = Enumerable.Range(0, Tills).Select(till => SellAsync(till)).ToArray();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(receipts.Count >= SalesBefore), "the tills sell", Patience);

        await CrashAsync();
        var back = Stopwatch.StartNew();
        await NewTill(TimeSpan.FromSeconds(15)).SellAsync("CUST-LOAD-99", "TXN-AFTERWARDS");
        var answeredAfter = back.Elapsed;
        await books.LeasesRunOutAsync();
        await closing.CancelAsync();
        await Task.WhenAll(tills);
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "nothing waits any more", Patience);

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"A whole sale {answeredAfter.TotalSeconds:F2} s after the return; {receipts.Count} sales; the slowest answer took {seen.Max(answer => answer.Took).TotalSeconds:F2} s.");
        var refused = seen.Select(answer => answer.Answer).Where(answer => answer.Status is 503).ToArray();
        Assert.NotEmpty(refused);
        Assert.All(refused, answer => Assert.Equal(
            ("application/problem+json", true), (answer.Headers["Content-Type"], answer.Headers.TryGetValue("Retry-After", out var wait) && int.Parse(wait) >= 1)));
        // A server that stands still opens no connection either, and who waits in line for one cannot know why.
        Assert.All(refused, answer => Assert.True(answer.Code is "database_unavailable" || (answer.Code is "overloaded" && crash is Crash.StoodStill), answer.ToString()));
        Assert.DoesNotContain(seen, answer => answer.Answer.Status is 0);
        // Who is refused has waited for one statement. Who is served may have waited for one until the server came back, and for the rest then.
        Assert.InRange(seen.Where(answer => answer.Answer.Status is 503).Max(answer => answer.Took), TimeSpan.Zero, LatestAnswer);
        Assert.InRange(seen.Max(answer => answer.Took), TimeSpan.Zero, 2 * LatestAnswer);
        await books.AreClosedAsync(receipts.Count + 1);
        await books.AgreeWithPdiAsync(app.Pdi, receipts.Count + 1);
        foreach (var (transaction, receipt) in receipts)
            Assert.Equal(1, await books.CountAsync($"select count(*) from sessions where transaction_id = '{transaction}' and receipt_id = '{receipt}'"));

        async Task SellAsync(int till)
        {
            for (var number = 0; !closing.IsCancellationRequested; number++)
            {
                var transaction = $"TXN-{till}-{number}";
                var receipt = await NewTill(Patience).SellAsync($"CUST-LOAD-{till}", transaction);
                receipts[transaction] = receipt.GetProperty("receiptId").GetString()!;
            }
        }

        Till NewTill(TimeSpan patience) => new(() => app.Address, patience) { Seen = (answer, took) => seen.Enqueue((answer, took)) };

        async Task CrashAsync()
        {
            switch (crash)
            {
                case Crash.StoppedAtOnce:
                    await server.StopAtOnceAsync();
                    await TillsAreRefusedAsync();
                    await server.StartAsync();
                    break;
                case Crash.Restarted:
                    await server.StopFastAsync();
                    await TillsAreRefusedAsync();
                    await server.StartAsync();
                    break;
                case Crash.OneBackendKilled:
                    await server.KillBackendAsync();
                    await TillsAreRefusedAsync();
                    break;
                case Crash.StoodStill:
                    await server.FreezeAsync();
                    await Eventually.BecomesTrueAsync(
                        () => Task.FromResult(seen.Any(answer => answer.Took > TimeSpan.FromSeconds(9))), "a statement is given up", TimeSpan.FromSeconds(40));
                    server.Thaw();
                    break;
            }
        }

        Task TillsAreRefusedAsync() => Eventually.BecomesTrueAsync(() => Task.FromResult(seen.Any(answer => answer.Answer.Status is 503)), "a till is refused");
    }
}
