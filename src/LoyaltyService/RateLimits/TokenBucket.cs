namespace LoyaltyService.RateLimits;

/// <summary>How fast a bucket refills and how much it holds, in ticks of the monotonic clock.</summary>
/// <param name="Period">The time in which one token flows back.</param>
/// <param name="Span">The time in which an empty bucket fills up.</param>
internal readonly record struct BucketRate(long Period, long Span);

/// <summary>
/// A token bucket, kept as one number: the time at which it will be full. Each token that is taken moves that time on by what it takes to
/// flow back, so that nothing has to be refilled, and a bucket nobody asks for is one that can be forgotten. Redis keeps its buckets alike.
/// </summary>
internal struct TokenBucket
{
    private long fullAt;

    public readonly bool IsFull(long now) => fullAt <= now;

    public readonly bool HasToken(long now, BucketRate rate) => Wait(now, rate) == 0;

    /// <summary>How long until there is a token.</summary>
    public readonly long Wait(long now, BucketRate rate) => Math.Max(0, Math.Max(fullAt, now) + rate.Period - rate.Span - now);

    /// <summary>How many tokens are missing.</summary>
    public readonly double Missing(long now, BucketRate rate) => (double)Math.Clamp(fullAt - now, 0, rate.Span) / rate.Period;

    /// <summary>Takes one, also where there is none: then it stays empty for a full span, and no longer.</summary>
    public void Take(long now, BucketRate rate) => fullAt = Math.Min(Math.Max(fullAt, now) + rate.Period, now + rate.Span);

    public void GiveBack(BucketRate rate) => fullAt -= rate.Period;

    public void Fill() => fullAt = 0;

    public void Empty(long now, BucketRate rate) => fullAt = now + rate.Span;
}
