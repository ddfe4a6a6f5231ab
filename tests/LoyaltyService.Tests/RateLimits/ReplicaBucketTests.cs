using System.Diagnostics.Metrics;
using LoyaltyService.RateLimits;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.RateLimits;

/// <summary>A replica's share of a bucket: a limit of 1,000 per second, three replicas, a clock in microseconds.</summary>
public sealed class ReplicaBucketTests
{
    private const long Start = 1_000_000_000;

    private static readonly RateLimit Limit = new(LimitKind.Global, 1000, TimeSpan.FromSeconds(1));
    private static readonly Rates Rates = new(Limit, replicas: 3, frequency: 1_000_000);
    private static readonly BucketKey Key = new(LimitKind.Global, Guid.Empty);

    private readonly ReplicaBucket bucket = new(Limit);

    [Fact]
    public void Its_local_share_is_a_third_of_4_percent()
    {
        Assert.Equal(13, TakeAll(Start));
        // The share refills at 13.3 per second and had a third of a token left.
        Assert.Equal(0, TakeAll(Start + 49_000));
        Assert.Equal(1, TakeAll(Start + 51_000));
    }

    [Fact]
    public void Leased_tokens_are_valid_for_40_ms()
    {
        TakeAll(Start);
        var ask = bucket.Ask(Key, Start, Rates);
        bucket.Answered(ask, new TokenAnswer(5, TimeSpan.Zero), born: 1, Start, Rates);

        Assert.True(bucket.HasOwn(Start + 39_999, Rates));
        Assert.False(bucket.HasOwn(Start + 40_000, Rates));
    }

    [Fact]
    public void Leases_grow_while_used_up_quickly_and_shrink_otherwise()
    {
        var (now, wants) = (Start, new List<int>());
        for (var number = 0; number < 7; number++, now += 10_000)
            wants.Add(AskAndUseUp(now));
        Assert.Equal([1, 2, 4, 8, 16, 20, 20], wants);

        // Uses four of the next 20; the others expire.
        Assert.Equal(20, AskAndUse(now, 4));
        Assert.Equal(4, AskAndUse(now + 50_000, 4));
        // Used up slowly: the lease keeps its size.
        Assert.Equal(4, AskAndUse(now + 80_000, 4));
    }

    [Fact]
    public void While_one_request_leases_the_others_ask_for_one_token_each()
    {
        AskAndUseUp(Start);
        TakeAll(Start + 1000);
        var first = bucket.Ask(Key, Start + 1000, Rates);
        var second = bucket.Ask(Key, Start + 1000, Rates);
        bucket.NotAnswered(first);
        var third = bucket.Ask(Key, Start + 2000, Rates);

        Assert.Equal((2, 1, 4), (first.Want, second.Want, third.Want));
    }

    [Fact]
    public void A_bucket_that_Redis_reports_empty_stays_empty_until_its_refill()
    {
        TakeAll(Start);
        bucket.Answered(bucket.Ask(Key, Start, Rates), new TokenAnswer(0, TimeSpan.FromMilliseconds(3)), born: 1, Start, Rates);

        Assert.Equal((3000, 1, 0), (bucket.KnownEmpty(Start, Rates), bucket.KnownEmpty(Start + 2999, Rates), bucket.KnownEmpty(Start + 3000, Rates)));
    }

    [Fact]
    public void An_empty_bucket_stays_empty_if_Redis_goes_away()
    {
        bucket.LetThrough(Start, Rates);
        Assert.Equal(0, bucket.WaitAlone(Start, Rates));

        bucket.Answered(bucket.Ask(Key, Start, Rates), new TokenAnswer(0, TimeSpan.FromMilliseconds(1)), born: 1, Start, Rates);

        // A third of 1,000 per second.
        Assert.Equal((3000, 0), (bucket.WaitAlone(Start, Rates), bucket.WaitAlone(Start + 3000, Rates)));
    }

    [Fact]
    public void Redis_learns_the_unreported_tokens_or_all_of_them_after_a_restart()
    {
        bucket.LetThrough(Start, Rates);
        for (var number = 0; number < 10; number++)
            bucket.LetThroughUntold(Start, Rates);

        var ask = bucket.Ask(Key, Start, Rates);
        Assert.Equal((0, 10, 11), (ask.RedisBorn, ask.Untold, ask.Spent));

        bucket.Answered(ask, new TokenAnswer(1, TimeSpan.Zero), born: 7, Start, Rates);
        var next = bucket.Ask(Key, Start, Rates);
        var beside = bucket.Ask(Key, Start, Rates);
        Assert.Equal((7, 0, 11), (next.RedisBorn, next.Untold, next.Spent));
        // Reported only once.
        Assert.Equal((0, 0, 0), (beside.RedisBorn, beside.Untold, beside.Spent));
    }

    [Fact]
    public async Task Buckets_beyond_the_limit_share_one()
    {
        using var meter = new Meter("test");
        var limiter = new RateLimiter(redis: null, new Replicas(redis: null, ""), new RateLimitMetrics(meter), new FakeTimeProvider());
        var limit = new RateLimit(LimitKind.Address, 10, TimeSpan.FromMinutes(1));

        for (var number = 0; number < RateLimitOptions.MaxBuckets; number++)
            Assert.Null((await AskAsync(Guid.NewGuid())).RefusedBy);
        var letThrough = 0;
        for (var number = 0; number < 50; number++)
            letThrough += (await AskAsync(Guid.NewGuid())).RefusedBy is null ? 1 : 0;

        Assert.Equal(10, letThrough);

        ValueTask<Decision> AskAsync(Guid address) => limiter.DecideAsync([new Demand(new BucketKey(LimitKind.Address, address), limit)]);
    }

    private int TakeAll(long now)
    {
        var taken = 0;
        for (; bucket.HasOwn(now, Rates); taken++)
            bucket.TakeOwn(now, Rates);
        return taken;
    }

    private int AskAndUseUp(long now) => AskAndUse(now, int.MaxValue);

    /// <summary>The request that asks takes one of the granted tokens.</summary>
    private int AskAndUse(long now, int use)
    {
        // Leftovers of an earlier lease have expired by now.
        TakeAll(now);
        var ask = bucket.Ask(Key, now, Rates);
        bucket.Answered(ask, new TokenAnswer(ask.Want, TimeSpan.Zero), born: 1, now, Rates);
        for (var used = 1; used < use && bucket.HasOwn(now, Rates); used++)
            bucket.TakeOwn(now, Rates);
        return ask.Want;
    }
}
