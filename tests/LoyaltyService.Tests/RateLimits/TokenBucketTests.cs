using CsCheck;
using LoyaltyService.RateLimits;

namespace LoyaltyService.Tests.RateLimits;

public sealed class TokenBucketTests
{
    // Ten tokens; one refills every 100 ticks.
    private static readonly BucketRate Rate = new(100, 1000);

    [Fact]
    public void A_new_bucket_is_full_and_allows_a_full_burst()
    {
        var bucket = new TokenBucket();

        for (var number = 0; number < 10; number++)
        {
            Assert.True(bucket.HasToken(5_000, Rate));
            bucket.Take(5_000, Rate);
        }

        Assert.False(bucket.HasToken(5_000, Rate));
        Assert.Equal(10, bucket.Missing(5_000, Rate));
    }

    [Fact]
    public void A_token_is_available_after_exactly_the_stated_wait()
    {
        var bucket = new TokenBucket();
        for (var number = 0; number < 10; number++)
            bucket.Take(5_000, Rate);

        var wait = bucket.Wait(5_030, Rate);

        Assert.Equal(70, wait);
        Assert.False(bucket.HasToken(5_030 + wait - 1, Rate));
        Assert.True(bucket.HasToken(5_030 + wait, Rate));
    }

    [Fact]
    public void It_never_grants_more_than_its_capacity_plus_the_refill() =>
        Gen.Int[0, 300].Array[1, 200].Sample(pauses =>
        {
            var bucket = new TokenBucket();
            var (now, start, given, level) = (10_000L, 10_000L, 0, 10.0);
            foreach (var pause in pauses)
            {
                now += pause;
                // The textbook bucket.
                level = Math.Min(10, level + (pause / 100.0));
                Assert.Equal(level >= 1, bucket.HasToken(now, Rate));
                if (level < 1)
                    continue;
                bucket.Take(now, Rate);
                (level, given) = (level - 1, given + 1);
            }

            Assert.InRange(given, 0, 10 + ((now - start) / 100));
        });
}
