namespace LoyaltyService.RateLimits;

/// <summary>
/// One replica's view of one bucket. Without Redis the replica has its share: the limit divided by the number of replicas. Not thread-safe:
/// <see cref="LocalBuckets"/> holds its lock.
/// </summary>
internal sealed class LocalBucket(RateLimit limit, long frequency)
{
    /// <summary>The part of a limit that all replicas together may admit before they report it, and so the most that a limit is exceeded by.</summary>
    public const double CreditPart = 0.03;

    private readonly long window = (long)(limit.Window.TotalSeconds * frequency);

    // Everything that this replica admitted: when Redis dies, its share is as full as the bucket was.
    private TokenBucket share;

    // What Redis does not know of it.
    private double unreported;

    // What a call to Redis is reporting now. It uses up credit until Redis answers.
    private double inFlight;

    private long emptyUntil;
    private long idleAt;

    /// <summary>Nothing was taken for a window: unreported tokens no longer matter.</summary>
    public bool IsIdle(long now) => idleAt <= now && inFlight < 0.5 && share.IsFull(now);

    /// <summary>The time for which Redis is known to have no token.</summary>
    public long KnownWait(long now) => emptyUntil - now;

    public long WaitAlone(long now, int replicas) => share.Wait(now, ShareOf(replicas));

    public bool HasCredit(int replicas) => unreported + inFlight + 1 <= CreditOf(replicas);

    public void Admit(long now, int replicas, bool isReported)
    {
        share.Take(now, ShareOf(replicas));
        unreported += isReported ? 0 : 1;
        idleAt = now + window;
    }

    /// <summary>Records how long Redis will have no token; zero if it has one.</summary>
    public void SetWait(TimeSpan wait, long now, int replicas)
    {
        emptyUntil = now + (long)(wait.TotalSeconds * frequency);
        // The replicas used the bucket up together. If Redis dies now, this replica's share is used up too.
        if (wait > TimeSpan.Zero)
            share.Empty(emptyUntil, ShareOf(replicas));
    }

    public double TakeUnreported(long now, int replicas)
    {
        // Tokens flow back during an outage; those no longer count.
        var tokens = Math.Min(unreported, Math.Max(CreditOf(replicas), share.Missing(now, ShareOf(replicas))));
        (unreported, inFlight) = (0, inFlight + tokens);
        return tokens;
    }

    public void Reported(double tokens) => inFlight -= tokens;

    public void NotReported(double tokens) => (unreported, inFlight) = (unreported + tokens, inFlight - tokens);

    /// <summary>Redis has lost the bucket: everything that still counts is unreported.</summary>
    public void ReportAgain(long now, int replicas) => unreported = share.Missing(now, ShareOf(replicas));

    private double CreditOf(int replicas) => limit.Requests * CreditPart / replicas;

    // However small a share is, it can hold one token. What was admitted on credit can leave it in debt.
    private BucketRate ShareOf(int replicas)
    {
        var period = Math.Max(1, window * replicas / limit.Requests);
        return new(period, Math.Max(window, period), (long)(window * CreditPart));
    }
}
