namespace LoyaltyService.RateLimits;

/// <summary>
/// One replica's view of the buckets. It admits a few requests on credit and reports them with its next call to Redis, so most requests
/// need no call. While Redis is away it admits its share of the limits.
/// </summary>
/// <param name="replicas">Null if this process shares its limits with no other.</param>
internal sealed class LocalBuckets(Replicas? replicas, TimeProvider clock)
{
    /// <summary>The most buckets that a replica remembers, at about 150 bytes each. Beyond that, new callers share one.</summary>
    public const int MaxBuckets = 100_000;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly Dictionary<BucketKey, LocalBucket> buckets = [];
    private long nextSweep;

    private int Replicas => replicas?.Count ?? 1;

    /// <summary>Refuses the request if a bucket is known to be empty. Takes nothing.</summary>
    public Decision? KnownEmpty(IReadOnlyList<Demand> demands)
    {
        lock (gate)
        {
            var decision = Check_NeedsLock(demands, DecidedBy.Memory, byShare: replicas is null);
            return decision.RefusedBy is null ? null : decision;
        }
    }

    /// <summary>Refuses the request if a bucket is known to be empty, or admits it on credit. Null if Redis has to decide.</summary>
    public Decision? TryDecide(IReadOnlyList<Demand> demands)
    {
        lock (gate)
        {
            var decision = Check_NeedsLock(demands, DecidedBy.Memory, byShare: false);
            if (decision.RefusedBy is not null)
                return decision;
            return demands.All(demand => Open_NeedsLock(demand).HasCredit(Replicas)) ? Admit_NeedsLock(demands, decision) : null;
        }
    }

    /// <summary>Decides by this replica's share.</summary>
    public Decision DecideAlone(IReadOnlyList<Demand> demands, DecidedBy by)
    {
        lock (gate)
            return Admit_NeedsLock(demands, Check_NeedsLock(demands, by, byShare: true));
    }

    /// <summary>Records what Redis decided, and that it knows of these tokens now.</summary>
    public Decision Record(IReadOnlyList<Demand> demands, double[] reported, TimeSpan[] waits)
    {
        lock (gate)
        {
            var now = Now_NeedsLock();
            for (var i = 0; i < waits.Length; i++)
            {
                var bucket = Open_NeedsLock(demands[i]);
                bucket.Reported(reported[i]);
                bucket.SetWait(waits[i], now, Replicas);
            }

            return Admit_NeedsLock(demands, Check_NeedsLock(demands, DecidedBy.Redis, byShare: false));
        }
    }

    /// <summary>Takes the number of unreported tokens of each bucket. Ends with <see cref="Record"/> or <see cref="NotReported"/>.</summary>
    public double[] TakeUnreported(IReadOnlyList<Demand> demands)
    {
        lock (gate)
        {
            var now = Now_NeedsLock();
            return [.. demands.Select(demand => Open_NeedsLock(demand).TakeUnreported(now, Replicas))];
        }
    }

    public void NotReported(IReadOnlyList<Demand> demands, IReadOnlyList<double> tokens)
    {
        lock (gate)
        {
            foreach (var (demand, count) in demands.Zip(tokens))
                Open_NeedsLock(demand).NotReported(count);
        }
    }

    /// <summary>Redis has lost all buckets.</summary>
    public void ReportAgain()
    {
        lock (gate)
        {
            var now = Now_NeedsLock();
            foreach (var bucket in buckets.Values)
                bucket.ReportAgain(now, Replicas);
        }
    }

    /// <summary>Finds the bucket with the longest wait.</summary>
    private Decision Check_NeedsLock(IReadOnlyList<Demand> demands, DecidedBy by, bool byShare)
    {
        var now = Now_NeedsLock();
        var (longest, refusedBy) = (0L, (LimitKind?)null);
        foreach (var demand in demands)
        {
            var bucket = Open_NeedsLock(demand);
            var wait = byShare ? bucket.WaitAlone(now, Replicas) : bucket.KnownWait(now);
            if (wait > longest)
                (longest, refusedBy) = (wait, demand.Key.Kind);
        }

        return new Decision(refusedBy, TimeSpan.FromSeconds((double)longest / clock.TimestampFrequency), by);
    }

    private Decision Admit_NeedsLock(IReadOnlyList<Demand> demands, Decision decision)
    {
        if (decision.RefusedBy is not null)
            return decision;
        var now = Now_NeedsLock();
        foreach (var demand in demands)
            Open_NeedsLock(demand).Admit(now, Replicas, isReported: decision.By is DecidedBy.Redis);
        return decision;
    }

    private LocalBucket Open_NeedsLock(Demand demand)
    {
        if (buckets.TryGetValue(demand.Key, out var bucket))
            return bucket;
        var key = buckets.Count < MaxBuckets ? demand.Key : demand.Key with { Id = Guid.AllBitsSet };
        if (!buckets.TryGetValue(key, out bucket))
            buckets.Add(key, bucket = new LocalBucket(demand.Limit, clock.TimestampFrequency));
        return bucket;
    }

    /// <summary>Returns the time, and forgets idle buckets every two seconds.</summary>
    private long Now_NeedsLock()
    {
        var now = clock.GetTimestamp();
        if (now < nextSweep)
            return now;
        nextSweep = now + (long)(SweepInterval.TotalSeconds * clock.TimestampFrequency);
        foreach (var (key, bucket) in buckets)
        {
            if (bucket.IsIdle(now))
                buckets.Remove(key);
        }

        return now;
    }
}
