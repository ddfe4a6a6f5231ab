using System.Net.Http.Json;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A hundred equal requests at once, over three replicas: one effect.</summary>
[Collection(nameof(RunsAlone))]
public sealed class EqualRequestsTests
{
    private const int Equal = 100;

    [Fact]
    public async Task A_hundred_equal_requests_over_three_replicas_have_one_effect()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ServiceProcess.StartServiceAsync(database, pdi.Address)));
        var before = await pdi.BalanceAsync("CUST-12345");
        var books = new Books(database, Backend.Postgres);

        var identified = await AllAtOnceAsync(replicas, "identify", new { customerId = "CUST-12345", channelId = "POS-001", transactionId = "TXN-1" });
        var session = identified.SessionId;
        await AllAtOnceAsync(replicas, "calculate-rewards", new { sessionId = session, transactionAmount = 150.00m, items = Array.Empty<object>() }, replayed: false);
        var receipt = await AllAtOnceAsync(replicas, "finalize", new { sessionId = session, transactionId = "TXN-1", finalAmount = 150.00m, applyRewards = true });

        Assert.Equal(450, receipt.Json.GetProperty("earnedPoints").GetInt64());
        Assert.Equal(before + 450, await pdi.BalanceAsync("CUST-12345"));
        Assert.Equal(1, await pdi.CallsAsync("finalize"));
        await books.AreClosedAsync(sales: 1);
        await books.AgreeWithPdiAsync(pdi, sales: 1);
        foreach (var replica in replicas)
            await replica.DisposeAsync();
    }

    /// <param name="replayed">All answers are one answer; calculations count each for itself.</param>
    private static async Task<Answer> AllAtOnceAsync(ServiceProcess[] replicas, string route, object body, bool replayed = true)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Equal });
        var answers = await Task.WhenAll(Enumerable.Range(0, Equal).Select(async number =>
        {
            using var response = await http.PostAsJsonAsync(new Uri(replicas[number % replicas.Length].Address, "/loyalty/" + route), body);
            return await Answer.ReadAsync(response);
        }));

        Assert.All(answers, answer => Assert.True(
            answer is { Status: 200 } or { Status: 409, Code: "operation_in_progress" }, answer.ToString()));
        var done = answers.Where(answer => answer.Status is 200).ToArray();
        Assert.NotEmpty(done);
        if (replayed)
            Assert.Single(done.Select(answer => answer.Text).Distinct());
        return done[0];
    }
}
