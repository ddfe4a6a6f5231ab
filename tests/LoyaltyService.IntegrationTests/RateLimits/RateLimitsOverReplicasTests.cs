using System.Diagnostics;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.RateLimits;
using LoyaltyService.Storage;

namespace LoyaltyService.IntegrationTests.RateLimits;

/// <summary>The limits of three replicas as callers see them.</summary>
[Collection(nameof(RunsAlone))]
public sealed class RateLimitsOverReplicasTests
{
    private const int PerSecond = 200;

    [Fact]
    public async Task Three_replicas_share_one_limit_while_Redis_restarts()
    {
        await using var redis = new PrivateRedis();
        await redis.StartAsync();
        var variables = new Dictionary<string, string?> { ["REDIS_URL"] = redis.Url, ["RATE_LIMIT_GLOBAL_PER_SECOND"] = $"{PerSecond}" };
        await using var first = await LoyaltyApp.StartAsync(Backend.Postgres, variables);
        await using var second = await LoyaltyApp.StartAsync(Backend.Postgres, variables, first.Database, first.Pdi);
        await using var third = await LoyaltyApp.StartAsync(Backend.Postgres, variables, first.Database, first.Pdi);
        LoyaltyApp[] replicas = [first, second, third];
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(replicas.All(replica => Counted(replica) == 3)), "the replicas have counted each other");

        using var over = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 6).Select(number => CallAsync(replicas, number, over.Token)).ToList();
        await PassAsync(1.5);
        await redis.KillAsync();
        await PassAsync(1);
        await redis.StartAsync();
        await PassAsync(RedisBuckets.SettlesIn.TotalSeconds + 1);
        await over.CancelAsync();
        var calls = await Task.WhenAll(callers);

        // Counts from the first empty bucket. Before that, cold requests are slower than the limit.
        var start = calls.Max(each => each.First(call => call.Status == 429).At);
        var end = calls.Min(each => each[^1].At);
        var expected = PerSecond * Stopwatch.GetElapsedTime(start, end).TotalSeconds;
        var counted = calls.SelectMany(each => each).Where(call => call.At > start && call.At <= end).ToLookup(call => call.Status);
        var answered = counted[404].Count();
        TestContext.Current.TestOutputHelper!.WriteLine($"{answered} of {expected:F0} ({(answered / expected) - 1:P1}), {counted[429].Count()} refused.");
        Assert.Equal([404, 429], calls.SelectMany(each => each).Select(call => call.Status).Distinct().Order());
        Assert.InRange(answered, expected * 0.95, expected * 1.05);
    }

    private static int Counted(LoyaltyApp app) => ((Replicas)app.Services.GetService(typeof(Replicas))!).Count;

    /// <summary>Calls the replicas round-robin, like a load balancer.</summary>
    private static async Task<List<(long At, int Status)>> CallAsync(LoyaltyApp[] replicas, int next, CancellationToken over)
    {
        var calls = new List<(long At, int Status)>();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(3));
        while (!over.IsCancellationRequested)
        {
            var answer = await replicas[next++ % replicas.Length].GetAsync("/loyalty/sessions/" + BadInputs.AnySession);
            calls.Add((Stopwatch.GetTimestamp(), answer.Status));
            if (answer.Status == 429)
                await pause.WaitForNextTickAsync(CancellationToken.None);
        }

        return calls;
    }

    private static async Task PassAsync(double seconds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(seconds));
        await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }
}
