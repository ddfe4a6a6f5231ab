using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.RateLimits;

namespace LoyaltyService.IntegrationTests.RateLimits;

/// <summary>Measures what the limits let through, across replicas that share a real Redis.</summary>
[Collection(nameof(RunsAlone))]
public sealed class RateLimiterTests(RateLimiterTests.Server server) : IClassFixture<RateLimiterTests.Server>
{
    private const double Tolerance = 0.05;

    private static readonly RateLimit Global = new(LimitKind.Global, 1000, TimeSpan.FromSeconds(1));
    private static readonly RateLimit Customer = new(LimitKind.Customer, 100, TimeSpan.FromSeconds(1));
    private static readonly RateLimit Address = new(LimitKind.Address, 500, TimeSpan.FromMinutes(1));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Replicas_share_one_limit(int replicas)
    {
        await server.Redis.FlushAsync();
        await using var limiters = await Limiters.StartAsync(server.Redis.Url, replicas);
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(2.5), TimeProvider.System);

        var loads = await SaturateAllAsync(limiters, over.Token);

        Assert.All(limiters.Counted, count => Assert.Equal(replicas, count));
        AssertAsExpected(loads);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Replicas_share_one_limit_while_Redis_restarts_empty(int replicas)
    {
        await server.Redis.FlushAsync();
        await using var limiters = await Limiters.StartAsync(server.Redis.Url, replicas);
        using var over = new CancellationTokenSource();

        var saturated = SaturateAllAsync(limiters, over.Token);
        await PassAsync(TimeSpan.FromSeconds(1));
        await server.Redis.KillAsync();
        await PassAsync(TimeSpan.FromSeconds(1));
        await server.Redis.StartAsync();
        await PassAsync(RedisBuckets.SettlesIn + TimeSpan.FromSeconds(1.5));
        await over.CancelAsync();

        AssertAsExpected(await saturated);
    }

    [Fact]
    public async Task A_load_on_one_of_three_replicas_gets_nearly_all_of_the_limit()
    {
        await server.Redis.FlushAsync();
        await using var three = await Limiters.StartAsync(server.Redis.Url, 3);
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(2), TimeProvider.System);

        var load = await three.SaturateAsync(Global, Guid.NewGuid(), over.Token, onlyOne: true);

        AssertAsExpected([load]);
    }

    [Fact]
    public async Task A_refused_request_takes_nothing_from_other_limits()
    {
        await server.Redis.FlushAsync();
        await using var three = await Limiters.StartAsync(server.Redis.Url, 3);
        // Per hour, so nothing refills during the test.
        var all = new RateLimit(LimitKind.Global, 300, TimeSpan.FromHours(1));
        var one = new RateLimit(LimitKind.Customer, 50, TimeSpan.FromHours(1));
        var (greedy, other) = (Guid.NewGuid(), 0);

        var first = await AskAsync(200, () => greedy);
        var second = await AskAsync(400, () => Guid.NewGuid());

        // A replica admits its share on its own when Redis does not answer in time, as on a loaded machine.
        Assert.InRange(first, 45, 50);
        Assert.InRange(first + second, 285, 300);

        async Task<int> AskAsync(int times, Func<Guid> customer)
        {
            var decisions = await Task.WhenAll(Enumerable.Range(0, times).Select(_ => three.All[other++ % 3].DecideAsync(
                [new Demand(new BucketKey(LimitKind.Global, Guid.Empty), all), new Demand(new BucketKey(LimitKind.Customer, customer()), one)]).AsTask()));
            TestContext.Current.TestOutputHelper!.WriteLine(string.Join(", ", decisions.CountBy(decision => (decision.By, decision.RefusedBy))));
            return decisions.Count(decision => decision.RefusedBy is null);
        }
    }

    [Fact]
    public async Task After_the_stated_wait_a_call_passes_without_earlier_Redis_calls()
    {
        await server.Redis.FlushAsync();
        await using var limiters = await Limiters.StartAsync(server.Redis.Url, 1);
        var limit = new RateLimit(LimitKind.Address, 20, TimeSpan.FromSeconds(10));
        var demands = new[] { new Demand(new BucketKey(LimitKind.Address, Guid.NewGuid()), limit) };
        Decision refused;
        do
            refused = await limiters.All[0].DecideAsync(demands);
        while (refused.RefusedBy is null);

        var again = await limiters.All[0].DecideAsync(demands);
        await PassAsync(refused.RetryAfter);
        var afterwards = await limiters.All[0].DecideAsync(demands);

        Assert.InRange(refused.RetryAfter, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(10.0 / 20));
        Assert.Equal((LimitKind.Address, DecidedBy.Memory), (again.RefusedBy, again.By));
        Assert.True(afterwards.RefusedBy is null, afterwards.ToString());
    }

    private static async Task<Load[]> SaturateAllAsync(Limiters limiters, CancellationToken over) =>
        await Task.WhenAll(new[] { Global, Customer, Address }.Select(limit => limiters.SaturateAsync(limit, Guid.NewGuid(), over)));

    private static void AssertAsExpected(IReadOnlyList<Load> loads)
    {
        foreach (var load in loads)
            TestContext.Current.TestOutputHelper!.WriteLine(load.ToString());
        Assert.All(loads, load =>
        {
            Assert.InRange(load.Admitted, load.Expected * (1 - Tolerance), load.Expected * (1 + Tolerance));
            Assert.True(load.Asked < load.All, load.ToString());
        });
    }

    private static async Task PassAsync(TimeSpan time)
    {
        var begun = TimeProvider.System.GetTimestamp();
        // A timer's clock ticks every few milliseconds, so it may fire one tick early.
        while (time - TimeProvider.System.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)));
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    public sealed class Server : IAsyncLifetime
    {
        internal PrivateRedis Redis { get; } = new();

        public async ValueTask InitializeAsync() => await Redis.StartAsync();

        public async ValueTask DisposeAsync() => await Redis.DisposeAsync();
    }
}
