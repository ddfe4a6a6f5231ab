using CsCheck;
using LoyaltyService.RateLimits;

namespace LoyaltyService.Tests.RateLimits;

public sealed class TokenBucketTests
{
    // Ten tokens, one flows back every hundred ticks.
    private static readonly BucketRate Rate = new(100, 1000);

    [Fact]
    public void A_new_bucket_is_full_and_gives_as_many_as_it_holds_at_once()
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
    public void Who_waits_as_long_as_it_says_finds_one_and_no_sooner()
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
    public void Over_any_time_it_gives_what_it_holds_and_what_flows_back_and_no_more() =>
        Gen.Int[0, 300].Array[1, 200].Sample(pauses =>
        {
            var bucket = new TokenBucket();
            var (now, start, given, level) = (10_000L, 10_000L, 0, 10.0);
            foreach (var pause in pauses)
            {
                now += pause;
                // A bucket as a book would describe it.
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
