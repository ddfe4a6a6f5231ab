using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A deployment: a replica is asked to end while tills go on sending to it.</summary>
[Collection(nameof(RunsAlone))]
public sealed class TerminationTests
{
    // Two requests a sale, so about a hundred a second.
    private static readonly TimeSpan BetweenSales = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task No_accepted_request_is_cut_and_the_process_ends_with_0_within_30_s()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        await using var service = await ServiceProcess.StartServiceAsync(database, pdi.Address);
        var books = new Books(database, Backend.Postgres);
        // So that some tens of requests are in the middle of things at any time.
        await pdi.FaultAsync("all", new { kind = "latency", latencyMs = 300 });
        var answered = new ConcurrentDictionary<string, int>();
        var broken = new ConcurrentBag<(string Transaction, string? Session)>();
        using var http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero });

        var sales = new List<Task>();
        var ending = new Stopwatch();
        using var timer = new PeriodicTimer(BetweenSales);
        for (var number = 0; !service.HasExited; number++)
        {
            sales.Add(SellAsync($"TXN-{number}"));
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            if (!ending.IsRunning && answered.Count >= 100)
            {
                ending.Start();
                service.Terminate();
            }

            Assert.True(ending.Elapsed < TimeSpan.FromSeconds(30), "The process has not ended within 30 s.");
        }

        ending.Stop();
        await Task.WhenAll(sales);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"Ended {ending.Elapsed.TotalSeconds:F2} s after SIGTERM, with {service.ExitCode}; {answered.Count} calls were answered and {broken.Count} were not accepted.");
        Assert.Equal(0, service.ExitCode);
        // Whoever got no answer was not let in: of what it asked for nothing was done.
        Assert.NotEmpty(broken);
        foreach (var (transaction, session) in broken)
        {
            var trace = session is null
                ? $"select count(*) from sessions where transaction_id = '{transaction}'"
                : $"select count(*) from sessions where transaction_id = '{transaction}' and status in ('finalizing', 'finalized')";
            Assert.True(await books.CountAsync(trace) == 0, $"{(session is null ? "identify" : "finalize")} of {transaction} was accepted and cut.");
        }

        Assert.Equal(0, await books.CountAsync("select count(*) from pdi_work"));

        async Task SellAsync(string transaction)
        {
            if (await PostAsync("identify", transaction, null, new { customerId = "CUST-12345", channelId = "POS-001", transactionId = transaction }) is { } identified)
                await PostAsync("finalize", transaction, identified.SessionId, new { sessionId = identified.SessionId, transactionId = transaction, finalAmount = 1.00m, applyRewards = true });
        }

        async Task<Answer?> PostAsync(string route, string transaction, string? session, object body)
        {
            try
            {
                using var response = await http.PostAsJsonAsync(new Uri(service.Address, "/loyalty/" + route), body);
                var answer = await Answer.ReadAsync(response);
                Assert.True(answer.Status is 200, answer.ToString());
                Assert.True(answered.TryAdd($"{route} {transaction}", answer.Status));
                return answer;
            }
            catch (HttpRequestException)
            {
                broken.Add((transaction, session));
                return null;
            }
        }
    }
}
