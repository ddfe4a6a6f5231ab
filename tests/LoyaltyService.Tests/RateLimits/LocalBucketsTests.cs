using LoyaltyService.RateLimits;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.RateLimits;

/// <summary>What a replica knows of the buckets, here one that shares its limits with no other.</summary>
public sealed class LocalBucketsTests
{
    private static readonly RateLimit Limit = new(LimitKind.Global, 10, TimeSpan.FromSeconds(1));
    private static readonly Demand[] Demands = [new(new BucketKey(LimitKind.Global, Guid.Empty), Limit)];

    private readonly FakeTimeProvider clock = new();
    private readonly LocalBuckets buckets;

    public LocalBucketsTests() => buckets = new(replicas: null, clock);

    [Fact]
    public void It_lets_through_the_limit_and_then_says_when_there_is_a_token()
    {
        Assert.Equal(10, LetThroughOf(20));

        var refused = buckets.DecideAlone(Demands, DecidedBy.Fallback);
        Assert.Equal((LimitKind.Global, TimeSpan.FromMilliseconds(100), DecidedBy.Fallback), (refused.RefusedBy, refused.RetryAfter, refused.By));
        clock.Advance(refused.RetryAfter);
        Assert.Equal(1, LetThroughOf(20));
    }

    [Fact]
    public void A_bucket_that_Redis_called_empty_is_empty_without_Redis_too()
    {
        Assert.Equal(LimitKind.Global, buckets.Record(Demands, [0], [TimeSpan.FromMilliseconds(3)]).RefusedBy);

        Assert.Equal(0, LetThroughOf(20));
        clock.Advance(TimeSpan.FromMilliseconds(103));
        Assert.Equal(1, LetThroughOf(20));
    }

    [Fact]
    public void Redis_is_told_once_of_what_it_did_not_decide()
    {
        Assert.Null(buckets.Record(Demands, [0], [TimeSpan.Zero]).RefusedBy);
        LetThroughOf(3);

        Assert.Equal([3], buckets.TakeUnreported(Demands));
        Assert.Equal([0], buckets.TakeUnreported(Demands));
    }

    [Fact]
    public void What_Redis_could_not_be_told_it_is_told_later_less_what_flowed_back()
    {
        LetThroughOf(3);

        buckets.NotReported(Demands, buckets.TakeUnreported(Demands));
        clock.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal([2], buckets.TakeUnreported(Demands));
    }

    [Fact]
    public void A_Redis_that_lost_its_buckets_is_told_all_that_still_counts()
    {
        buckets.Record(Demands, [0], [TimeSpan.Zero]);
        LetThroughOf(3);

        buckets.ReportAgain();

        Assert.Equal([4], buckets.TakeUnreported(Demands));
    }

    [Fact]
    public void Beyond_the_most_buckets_new_callers_share_one()
    {
        for (var number = 0; number < LocalBuckets.MaxBuckets; number++)
            Assert.Null(Ask().RefusedBy);

        var letThrough = Enumerable.Range(0, 50).Count(_ => Ask().RefusedBy is null);

        Assert.Equal(10, letThrough);

        Decision Ask() => buckets.DecideAlone([new Demand(new BucketKey(LimitKind.Address, Guid.NewGuid()), Limit)], DecidedBy.Memory);
    }

    private int LetThroughOf(int requests) =>
        Enumerable.Range(0, requests).Count(_ => buckets.DecideAlone(Demands, DecidedBy.Fallback).RefusedBy is null);
}
