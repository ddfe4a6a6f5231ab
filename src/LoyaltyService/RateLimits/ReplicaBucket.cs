namespace LoyaltyService.RateLimits;

/// <summary>
/// What one replica knows and has of one bucket. Not safe for several threads: <see cref="RateLimiter"/> holds its lock.
/// </summary>
internal sealed class ReplicaBucket(RateLimit limit)
{
    // This replica's part of what the replicas may spend without Redis.
    private TokenBucket share;

    // What this replica let through, against the limit divided by the replicas: what decides while there is no Redis.
    private TokenBucket alone;

    // Of that, what Redis was not told, because it could not be asked.
    private TokenBucket untold;

    private int lease;
    private long leaseEnds;
    private long leasedAt;
    private int leaseSize = 1;
    private int asks;
    private TaskCompletionSource? firstOut;
    private long emptyUntil;
    private long redisBorn;

    public RateLimit Limit => limit;

    /// <summary>Nothing would be lost with it.</summary>
    public bool IsIdle(long now) =>
        asks == 0 && emptyUntil <= now && leaseEnds <= now && share.IsFull(now) && alone.IsFull(now) && untold.IsFull(now);

    /// <summary>How long it is known that there is no token, neither in Redis nor here.</summary>
    public long KnownEmpty(long now, Rates rates) => HasOwn(now, rates) ? 0 : Math.Max(0, emptyUntil - now);

    public bool HasOwn(long now, Rates rates) => share.HasToken(now, rates.Share) || HasLease(now);

    public void TakeOwn(long now, Rates rates)
    {
        if (share.HasToken(now, rates.Share))
            share.Take(now, rates.Share);
        else
            lease--;
    }

    /// <summary>The request was refused by another bucket.</summary>
    public void GiveBackOwn(Rates rates) => share.GiveBack(rates.Share);

    public long WaitAlone(long now, Rates rates) => alone.Wait(now, rates.Alone);

    /// <summary>Every request that is let through counts, whoever decided, so that a Redis that dies leaves buckets as full as they are.</summary>
    public void LetThrough(long now, Rates rates) => alone.Take(now, rates.Alone);

    public void LetThroughUntold(long now, Rates rates)
    {
        LetThrough(now, rates);
        untold.Take(now, rates.Alone);
    }

    /// <summary>Ends when the ask for several tokens at once is answered; null if none is out.</summary>
    public Task? FirstOut => firstOut?.Task;

    /// <summary>
    /// How many tokens to ask for. More than one only as long as they are used up in half of their time: then they save round trips,
    /// and what would be left over, and so lost, is little. While the first of several is out, the others ask for their own and tell nothing:
    /// otherwise each would tell the same again.
    /// </summary>
    public TokenAsk Ask(BucketKey key, long now, Rates rates)
    {
        asks++;
        if (firstOut is not null)
            return new TokenAsk(key, limit, Want: 1, IsFirst: false, RedisBorn: 0, Untold: 0, Spent: 0);

        firstOut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (lease > 0)
            leaseSize = Math.Max(1, leaseSize - lease);
        else if (now - leasedAt < rates.LeaseTime / 2)
            leaseSize = Math.Min(leaseSize * 2, rates.LargestLease);
        lease = 0;
        leasedAt = now;
        return new TokenAsk(key, limit, leaseSize, IsFirst: true, redisBorn, untold.Missing(now, rates.Alone), alone.Missing(now, rates.Alone));
    }

    public void NotAnswered(TokenAsk ask)
    {
        asks--;
        if (!ask.IsFirst)
            return;
        firstOut!.SetResult();
        firstOut = null;
    }

    public void Answered(TokenAsk ask, TokenAnswer answer, long born, long now, Rates rates)
    {
        NotAnswered(ask);
        if (ask.IsFirst)
        {
            redisBorn = born;
            untold.Fill();
        }

        if (answer.Wait > TimeSpan.Zero)
        {
            emptyUntil = now + rates.Ticks(answer.Wait);
            // What the replicas have spent together, this one's part of it too: however little of it went through here, nothing is left if
            // Redis dies now.
            alone.Empty(now, rates.Alone);
        }

        if (answer.Granted <= 1)
            return;
        // The first of them is the asking request's.
        lease = (HasLease(now) ? lease : 0) + answer.Granted - 1;
        leaseEnds = now + rates.LeaseTime;
    }

    private bool HasLease(long now) => lease > 0 && leaseEnds > now;
}

/// <summary>A limit as a replica sees it: what it may spend by itself, and what it must ask for.</summary>
internal readonly struct Rates
{
    private readonly double frequency;

    public Rates(RateLimit limit, int replicas, long frequency)
    {
        this.frequency = frequency;
        var window = Ticks(limit.Window);
        var period = (double)window / limit.Requests;
        Share = new((long)Math.Max(1, period * replicas / RateLimitOptions.LocalPart), window);
        Alone = new((long)Math.Max(1, period * replicas), window);
        // Never closed: however small its part, one request at a time fits in.
        if (Alone.Period > Alone.Span)
            Alone = Alone with { Span = Alone.Period };
        LeaseTime = (long)(window * RateLimitOptions.LeasePart);
        LargestLease = Math.Max(1, (int)(limit.Requests * RateLimitOptions.LargestLease));
    }

    public BucketRate Share { get; }

    public BucketRate Alone { get; }

    public long LeaseTime { get; }

    public int LargestLease { get; }

    public long Ticks(TimeSpan time) => (long)(time.TotalSeconds * frequency);
}
