namespace LoyaltyService.RateLimits;

/// <summary>How fast a bucket refills and how much it holds, in ticks of the monotonic clock.</summary>
/// <param name="Period">The time in which one token flows back.</param>
/// <param name="Span">The time in which an empty bucket fills up.</param>
/// <param name="Debt">The most time by which a bucket can be later than empty.</param>
internal readonly record struct BucketRate(long Period, long Span, long Debt = 0);

/// <summary>
/// A token bucket, kept as the time at which it will be full. Taking a token moves that time by one period, so nothing has to be refilled
/// and a full bucket can be forgotten. Redis keeps its buckets the same way.
/// </summary>
internal struct TokenBucket
{
    private long fullAt;

    public readonly bool IsFull(long now) => fullAt <= now;

    public readonly bool HasToken(long now, BucketRate rate) => Wait(now, rate) == 0;

    /// <summary>The time until there is a token.</summary>
    public readonly long Wait(long now, BucketRate rate) => Math.Max(0, Math.Max(fullAt, now) + rate.Period - rate.Span - now);

    /// <summary>The number of tokens that are missing.</summary>
    public readonly double Missing(long now, BucketRate rate) => (double)Math.Clamp(fullAt - now, 0, rate.Span + rate.Debt) / rate.Period;

    /// <summary>Takes a token, even where there is none. Beyond the debt, taking changes nothing.</summary>
    public void Take(long now, BucketRate rate) =>
        fullAt = Math.Max(fullAt, Math.Min(Math.Max(fullAt, now) + rate.Period, now + rate.Span + rate.Debt));

    /// <summary>Leaves no token before this time.</summary>
    public void Empty(long until, BucketRate rate) => fullAt = Math.Max(fullAt, until + rate.Span);
}
