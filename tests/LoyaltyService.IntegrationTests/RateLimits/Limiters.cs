using System.Diagnostics;
using System.Diagnostics.Metrics;
using LoyaltyService.Configuration;
using LoyaltyService.RateLimits;
using LoyaltyService.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace LoyaltyService.IntegrationTests.RateLimits;

/// <summary>The limiters of some replicas, each with its own connection to one Redis.</summary>
internal sealed class Limiters : IAsyncDisposable
{
    private const string Prefix = "{test}:";

    private readonly List<(IConnectionMultiplexer Redis, Replicas Replicas, RateLimiter Limiter)> all = [];
    private readonly Meter meter = new("test");

    public IReadOnlyList<RateLimiter> All => [.. all.Select(each => each.Limiter)];

    public IReadOnlyList<int> Counted => [.. all.Select(each => each.Replicas.Count)];

    /// <summary>At a Redis that is no longer new to its replicas.</summary>
    public static async Task<Limiters> StartAsync(string redisUrl, int replicas)
    {
        var limiters = new Limiters();
        var options = ((RedisServerUrl)RedisUrl.Parse(redisUrl).Value!).ToConfigurationOptions();
        for (var number = 0; number < replicas; number++)
        {
            var redis = await ConnectionMultiplexer.ConnectAsync(options);
            var counted = new Replicas(redis, Prefix, TimeProvider.System);
            limiters.all.Add((redis, counted, new RateLimiter(
                new RedisBuckets(redis, new RedisBreaker(TimeProvider.System), Prefix, TimeProvider.System, NullLogger<RedisBuckets>.Instance),
                new LocalBuckets(counted, TimeProvider.System), new RateLimitMetrics(limiters.meter))));
        }

        var longAgo = TimeProvider.System.GetUtcNow() - (2 * RedisBuckets.SettlesIn);
        await limiters.all[0].Redis.GetDatabase().StringSetAsync(Prefix + "born", longAgo.ToUnixTimeMilliseconds() * 1000);
        await limiters.BeatAsync();
        await limiters.BeatAsync();
        return limiters;
    }

    public async Task BeatAsync()
    {
        foreach (var (_, replicas, _) in all)
            await replicas.CountAsync();
    }

    /// <summary>Asks for more than there is, at one replica after the other, as a load balancer would, until <paramref name="over"/>.</summary>
    public async Task<Load> SaturateAsync(RateLimit limit, Guid id, CancellationToken over, bool onlyOne = false)
    {
        var demands = new[] { new Demand(new BucketKey(limit.Kind, id), limit) };
        var watch = Stopwatch.StartNew();
        var replicas = onlyOne ? [All[0]] : All;
        var counts = await Task.WhenAll(Enumerable.Range(0, 4 * replicas.Count).Select(async worker =>
        {
            var (admitted, asked, all) = (0, 0, 0);
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
            while (!over.IsCancellationRequested)
            {
                var decision = await replicas[(worker + all++) % replicas.Count].DecideAsync(demands);
                asked += decision.By is DecidedBy.Redis ? 1 : 0;
                if (decision.RefusedBy is null)
                    admitted++;
                else
                    await pause.WaitForNextTickAsync(CancellationToken.None);
            }

            return (admitted, asked, all);
        }));
        return new Load(limit, watch.Elapsed, counts.Sum(count => count.admitted), counts.Sum(count => count.asked), counts.Sum(count => count.all));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (redis, replicas, _) in all)
        {
            replicas.Dispose();
            await redis.DisposeAsync();
        }

        meter.Dispose();
    }
}

/// <summary>What became of a load that was more than the limit.</summary>
internal sealed record Load(RateLimit Limit, TimeSpan Took, int Admitted, int Asked, int All)
{
    /// <summary>A full bucket, and what flows back.</summary>
    public double Expected => Limit.Requests * (1 + (Took / Limit.Window));

    public override string ToString() =>
        $"{Limit.Kind} {Limit.Requests}: {Admitted} of {Expected:F0} in {Took.TotalSeconds:F2} s ({(Admitted / Expected) - 1:P1}), {(double)Asked / All:F2} round trips a request ({All})";
}
