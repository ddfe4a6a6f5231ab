using System.Collections.Concurrent;
using System.Diagnostics;
using LoyaltyService.Idempotency;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>Redis holds nothing that cannot be lost: whatever becomes of it, tills get the same answers, hardly later.</summary>
[Collection(nameof(RunsAlone))]
public sealed class RedisFaultTests : IAsyncLifetime
{
    private const int Tills = 4;
    private const int SalesEach = 25;
    private static readonly TimeSpan MostLater = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(10);

    private readonly PrivateRedis redis = new();
    private readonly ConcurrentBag<(Sale Sale, Answer Identified, Answer Finalized)> sold = [];
    private LoyaltyApp app = null!;

    public enum Fault
    {
        Flushed,
        Killed,
        Frozen,
        Slow,
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await redis.DisposeAsync();
    }

    [Theory]
    [InlineData(Fault.Flushed)]
    [InlineData(Fault.Killed)]
    [InlineData(Fault.Frozen)]
    [InlineData(Fault.Slow)]
    public async Task Tills_get_the_same_answers_hardly_later_and_Redis_is_used_again_when_it_is_back(Fault fault)
    {
        await redis.StartAsync();
        await StartServiceAsync();
        await SellAsync();
        var healthy = await SellAsync();

        using var over = new CancellationTokenSource();
        var slow = await StrikeAsync(fault, over.Token);
        var struck = await SellAsync();
        await AllRepeatsAreTheSameAsync();
        await over.CancelAsync();
        await slow;
        await EndAsync(fault);
        var usedAgainAfter = await IsUsedAgainAsync();

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{fault}: p99 {healthy.TotalMilliseconds:F0} ms before, {struck.TotalMilliseconds:F0} ms meanwhile; used again after {usedAgainAfter.TotalSeconds:F2} s.");
        Assert.InRange(struck, TimeSpan.Zero, healthy + MostLater);
        await BooksAgreeAsync();
    }

    [Fact]
    public async Task The_service_starts_without_Redis_sells_and_uses_it_when_it_comes()
    {
        var start = Stopwatch.StartNew();
        await StartServiceAsync();
        var started = start.Elapsed;
        var without = await SellAsync();

        await redis.StartAsync();
        var usedAfter = await IsUsedAgainAsync();

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"Started in {started.TotalSeconds:F2} s, p99 {without.TotalMilliseconds:F0} ms without Redis, used {usedAfter.TotalSeconds:F2} s after it came.");
        await AllRepeatsAreTheSameAsync();
        await BooksAgreeAsync();
    }

    [Fact]
    public async Task A_moment_in_which_Redis_answers_nobody_does_not_end_the_sweep_of_the_cache()
    {
        await redis.StartAsync();
        await StartServiceAsync();
        var cache = (RedisReplayCache)app.Services.GetRequiredService<IReplayCache>();
        var database = app.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();
        await database.StringSetAsync($"{cache.Prefix}old", "x");
        redis.Freeze();
        var sweep = cache.SweepAsync(static _ => Task.CompletedTask, TestContext.Current.CancellationToken);
        // Sent after the sweep's first command, so that one is given up too by then.
        await Assert.ThrowsAsync<RedisTimeoutException>(() => database.PingAsync());
        redis.Thaw();
        await sweep;

        Assert.NotNull(await database.KeyTimeToLiveAsync($"{cache.Prefix}old"));
    }

    private async Task StartServiceAsync() => app = await LoyaltyApp.StartAsync(Backend.Postgres, new()
    {
        ["REDIS_URL"] = redis.Url,
        // More than the tills ask for, and little enough that Redis is asked.
        ["RATE_LIMIT_GLOBAL_PER_SECOND"] = "10000",
        ["RATE_LIMIT_CUSTOMER_PER_SECOND"] = "1000",
    });

    /// <returns>What goes on as long as the fault does.</returns>
    private async Task<Task> StrikeAsync(Fault fault, CancellationToken over)
    {
        switch (fault)
        {
            case Fault.Flushed:
                await redis.FlushAsync();
                break;
            case Fault.Killed:
                await redis.KillAsync();
                break;
            case Fault.Frozen:
                redis.Freeze();
                break;
            case Fault.Slow:
                return PauseAgainAndAgainAsync();
        }

        return Task.CompletedTask;

        async Task PauseAgainAndAgainAsync()
        {
            // Just short of the 250 ms that a command may take.
            while (!over.IsCancellationRequested)
                await redis.PauseAsync(TimeSpan.FromMilliseconds(240));
        }
    }

    private async Task EndAsync(Fault fault)
    {
        switch (fault)
        {
            case Fault.Killed:
                await redis.StartAsync();
                break;
            case Fault.Frozen:
                redis.Thaw();
                break;
        }
    }

    /// <summary>Some tills sell, and send everything twice.</summary>
    /// <returns>The 99th percentile of what a call took.</returns>
    private async Task<TimeSpan> SellAsync()
    {
        var took = new ConcurrentBag<TimeSpan>();
        await Task.WhenAll(Enumerable.Range(0, Tills).Select(async till =>
        {
            for (var number = 0; number < SalesEach; number++)
            {
                var sale = new Sale(app) { CustomerId = $"CUST-LOAD-{till}" };
                var identified = await TimedAsync(sale.IdentifyAsync);
                sale = sale with { SessionId = identified.SessionId };
                await TimedAsync(() => sale.CalculateAsync());
                var finalized = await TimedAsync(() => sale.FinalizeAsync());
                Assert.Equal(identified.Text, (await TimedAsync(sale.IdentifyAsync)).Text);
                Assert.Equal(finalized.Text, (await TimedAsync(() => sale.FinalizeAsync())).Text);
                sold.Add((sale, identified, finalized));
            }
        }));
        return took.Order().ElementAt(took.Count * 99 / 100);

        async Task<Answer> TimedAsync(Func<Task<Answer>> call)
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await call();
            took.Add(Stopwatch.GetElapsedTime(started));
            Assert.True(answer.Status is 200, answer.ToString());
            return answer;
        }
    }

    private async Task AllRepeatsAreTheSameAsync()
    {
        foreach (var (sale, identified, finalized) in sold.Take(SalesEach))
        {
            Assert.Equal((identified.Text, true), Seen(await sale.IdentifyAsync()));
            Assert.Equal((finalized.Text, true), Seen(await sale.FinalizeAsync()));
        }

        static (string, bool) Seen(Answer answer) => (answer.Text, answer.IsReplay);
    }

    private async Task<TimeSpan> IsUsedAgainAsync()
    {
        var back = Stopwatch.StartNew();
        var (sale, _, _) = sold.First();
        var before = await redis.HitsAsync();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                await sale.FinalizeAsync();
                return await redis.HitsAsync() > before;
            },
            "an answer comes from Redis", BackWithin);
        return back.Elapsed;
    }

    private async Task BooksAgreeAsync()
    {
        var books = new Books(app.Database, Backend.Postgres);
        await books.AreClosedAsync(sold.Count);
        await books.AgreeWithPdiAsync(app.Pdi, sold.Count);
    }
}
