using System.Collections.Concurrent;
using LoyaltyService.IntegrationTests.Faults;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>
/// Three replicas of the image behind haproxy, with tills selling throughout. A rolling restart fails no request; a killed replica costs at
/// most a retry. ROLL_ROUNDS adds rounds at haproxy's configured pace (bench/roll.sh).
/// </summary>
[Collection(nameof(RunsAlone))]
public sealed class RollingRestartTests : IAsyncLifetime
{
    private const int Tills = 4;
    // More than one haproxy buffer, and within the service's limit.
    private const int LongBody = 40 * 1024;
    private static readonly TimeSpan BetweenSales = TimeSpan.FromMilliseconds(40);
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("ROLL_ROUNDS") ?? "1");

    private const string ApiKey = "till-secret";

    private static readonly string[] NotForTills = ["/metrics", "/METRICS", "/%6detrics", "/metrics?x", "/ops/queue", "/%4Fps/queue"];

    private readonly ServiceProcess[] replicas = new ServiceProcess[3];
    private readonly ConcurrentDictionary<string, string> receipts = new();
    private readonly ConcurrentQueue<string> notFinal = new();
    private Image image = null!;
    private Simulator pdi = null!;
    private TestDatabase database = null!;
    private LoadBalancer balancer = null!;
    private int calls;

    public async ValueTask InitializeAsync()
    {
        image = await Image.GetAsync();
        pdi = await Simulator.StartAsync();
        database = await TestDatabase.CreateAsync(Backend.Postgres);
        var ports = replicas.Select(_ => FreePort.Find()).ToArray();
        await Task.WhenAll(ports.Select((port, number) => StartAsync(number, port)));
        balancer = await LoadBalancer.StartAsync(ports, Environment.GetEnvironmentVariable("ROLL_ROUNDS") is null ? ("300ms", "100ms") : null);
        await balancer.AllAreUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await balancer.DisposeAsync();
        foreach (var replica in replicas)
            await replica.DisposeAsync();
        await database.DisposeAsync();
        await pdi.DisposeAsync();
    }

    [Fact]
    public async Task A_rolling_restart_fails_no_request_and_a_kill_costs_only_retries()
    {
        using var closing = new CancellationTokenSource();
        var tills = Enumerable.Range(0, Tills).Select(till => SellAsync(till, closing.Token)).ToArray();

        for (var round = 0; round < Rounds; round++)
        {
            for (var number = 0; number < replicas.Length; number++)
                await ReplaceAsync(number);
        }

        Assert.Empty(notFinal);
        var rolled = calls;
        var requests = (await balancer.LookAsync()).Select(server => server.Requests).ToList();
        Assert.True(requests.Min() > requests.Max() / 2, $"The replicas have had {string.Join(", ", requests)} requests.");

        var killed = receipts.Count;
        await KillWithACallAsync(0);
        // Long enough that each till would meet a gap.
        await Eventually.BecomesTrueAsync(() => Task.FromResult(receipts.Count >= killed + 40), "tills go on selling", TimeSpan.FromSeconds(60));
        await closing.CancelAsync();
        await Task.WhenAll(tills);
        await Task.WhenAll(NotForTills.Select(IsNotForTillsAsync));

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{Rounds} rounds: {rolled} calls while {Rounds * replicas.Length} replicas were replaced, none failed. After the kill: {calls - rolled} calls, {notFinal.Count} asked again ({string.Join(", ", notFinal.Distinct())}).");
        // haproxy redispatches to another replica, so no till sees the dead one. The other replica may answer that the killed one still holds
        // the sale.
        Assert.All(notFinal, answer => Assert.True(answer is "202" or "409", answer));
        // Another replica finishes what the kill interrupted.
        var books = new Books(database, Backend.Postgres);
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from pdi_work") == 0, "nothing waits any more", TimeSpan.FromSeconds(60));
        await books.AreClosedAsync(receipts.Count);
        await books.AgreeWithPdiAsync(pdi, receipts.Count);
    }

    /// <summary>
    /// Freezes the replica until calls wait for it, a long one among them, then kills it. Those calls break off and later ones find no listener.
    /// </summary>
    private async Task KillWithACallAsync(int number)
    {
        replicas[number].Freeze();
        await Eventually.BecomesTrueAsync(async () => (await balancer.LookAsync())[number].Open > 1, "calls wait for the replica");
        await replicas[number].KillAsync();
    }

    /// <summary>Ends a replica with SIGTERM, starts a new one on its port and waits until haproxy routes to it.</summary>
    /// <summary>Whether haproxy itself refused the request; the service would return a problem.</summary>
    private async Task IsNotForTillsAsync(string path)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(balancer.Address, path), TestContext.Current.CancellationToken);
        Assert.Equal((path, System.Net.HttpStatusCode.NotFound, "text/html"), (path, answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
    }

    private async Task ReplaceAsync(int number)
    {
        var port = replicas[number].Address.Port;
        replicas[number].Terminate();
        await replicas[number].WaitForExitAsync();
        Assert.Equal(0, replicas[number].ExitCode);
        await StartAsync(number, port);
        await balancer.AllAreUpAsync();
    }

    private async Task StartAsync(int number, int port) =>
        replicas[number] = await ServiceProcess.StartImageAsync(image, database, pdi.Address, new()
        {
            ["AUTO_MIGRATE"] = "false",
            ["API_KEYS"] = $"till:loyalty:{KeyHash.Of(ApiKey)}",
        }, port);

    private async Task SellAsync(int till, CancellationToken closing)
    {
        var sale = new Till(() => balancer.Address, TimeSpan.FromSeconds(60))
        {
            ApiKey = ApiKey,
            Padding = till == 0 ? 0 : LongBody,
            Seen = (answer, _) =>
            {
                Interlocked.Increment(ref calls);
                if (answer.Status != 200)
                    notFinal.Enqueue(answer.Status == 0 ? answer.Text : $"{answer.Status}");
            },
        };
        using var timer = new PeriodicTimer(BetweenSales);
        for (var number = 0; !closing.IsCancellationRequested; number++)
        {
            var transaction = $"TXN-{till}-{number}";
            var receipt = await sale.SellAsync($"CUST-LOAD-{till}", transaction);
            if (till == 0)
                await sale.ReadAsync($"/loyalty/sessions/{receipt.GetProperty("sessionId").GetString()}");
            Assert.True(receipts.TryAdd(transaction, receipt.GetProperty("receiptId").GetString()!));
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
