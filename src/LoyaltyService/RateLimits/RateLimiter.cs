
namespace LoyaltyService.RateLimits;

/// <summary>
/// Decides about requests: each needs a token of several buckets at once, and gets either all of them or none.
/// <para>
/// The buckets are shared by all replicas, in Redis. Asking it for each request would cost more than many a request does, so most of the
/// time nobody asks. A small part of each limit is the replicas' own, divided evenly (<see cref="RateLimitOptions.LocalPart"/>): what
/// seldom comes, such as a customer's one sale, is paid from it. What comes often is taken from Redis a few tokens at a time, good for a
/// short while (<see cref="ReplicaBucket.Ask"/>). What Redis said is empty is refused without asking until a token can be there again.
/// So the replicas together never let through more than the limit and what flows back during a lease.
/// </para>
/// <para>
/// Without Redis each replica has the limit divided by the number of replicas that there last were. It has counted all along what it let
/// through, so that nobody starts with a full bucket when Redis dies; and it tells Redis afterwards what was let through meanwhile, or
/// all that still counts if Redis has lost what it knew.
/// </para>
/// </summary>
internal sealed class RateLimiter(RedisBuckets? redis, Replicas replicas, RateLimitMetrics metrics, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly Dictionary<BucketKey, ReplicaBucket> buckets = [];

    /// <summary>Refuses if it is known already that a bucket is empty; takes nothing.</summary>
    public Decision? RefuseAtOnce(IReadOnlyList<Demand> demands)
    {
        lock (gate)
            return KnownEmpty(Open(demands)) is { } refusal ? Counted(refusal) : null;
    }

    /// <param name="demands">Buckets, each at most once.</param>
    public ValueTask<Decision> DecideAsync(IReadOnlyList<Demand> demands) => DecideAsync(demands, mayWait: true);

    private ValueTask<Decision> DecideAsync(IReadOnlyList<Demand> demands, bool mayWait)
    {
        Request[] request;
        List<TokenAsk>? asks = null;
        lock (gate)
        {
            request = Open(demands);
            if (redis is null)
                return new(Counted(Alone(request, DecidedBy.Memory)));
            if (KnownEmpty(request) is { } refusal)
                return new(Counted(refusal));

            var now = clock.GetTimestamp();
            foreach (ref var part in request.AsSpan())
                part.IsOwn = part.Bucket.HasOwn(now, part.Rates);
            // Another request is asking for several already: most likely there is one for this request among them.
            if (mayWait && FirstOut(request) is { } first)
                return DecideAfterAsync(first, demands);

            foreach (var part in request)
            {
                if (part.IsOwn)
                    part.Bucket.TakeOwn(now, part.Rates);
                else
                    (asks ??= []).Add(part.Bucket.Ask(part.Key, now, part.Rates));
            }

            if (asks is null)
            {
                foreach (var part in request)
                    part.Bucket.LetThrough(now, part.Rates);
                return new(Counted(new Decision(null, TimeSpan.Zero, DecidedBy.Memory)));
            }
        }

        return AskAsync(request, asks);
    }

    /// <summary>Forgets the buckets that are as full as those nobody has ever asked for.</summary>
    public void Sweep()
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            foreach (var (key, bucket) in buckets)
            {
                if (bucket.IsIdle(now))
                    buckets.Remove(key);
            }
        }
    }

    private static Task? FirstOut(Request[] request)
    {
        foreach (var part in request)
        {
            if (!part.IsOwn && part.Bucket.FirstOut is { } first)
                return first;
        }

        return null;
    }

    private async ValueTask<Decision> DecideAfterAsync(Task first, IReadOnlyList<Demand> demands)
    {
        await first;
        return await DecideAsync(demands, mayWait: false);
    }

    private async ValueTask<Decision> AskAsync(Request[] request, List<TokenAsk> asks)
    {
        TokenAnswers? answers;
        try
        {
            answers = await redis!.AskAsync(asks);
        }
        catch
        {
            lock (gate)
            {
                foreach (var (part, ask) in request.Where(static part => !part.IsOwn).Zip(asks))
                    part.Bucket.NotAnswered(ask);
            }

            throw;
        }

        lock (gate)
        {
            var now = clock.GetTimestamp();
            var decision = Enter(request, asks, answers, now);
            if (answers is null || decision.RefusedBy is not null)
            {
                foreach (var part in request)
                {
                    if (part.IsOwn)
                        part.Bucket.GiveBackOwn(part.Rates);
                }
            }

            if (answers is null)
                return Counted(Alone(request, DecidedBy.Fallback));
            if (decision.RefusedBy is null)
            {
                foreach (var part in request)
                    part.Bucket.LetThrough(now, part.Rates);
            }

            return Counted(decision);
        }
    }

    /// <summary>Tells each bucket that was asked for what Redis answered, if it did; the decision is that of the longest wait.</summary>
    private static Decision Enter(Request[] request, List<TokenAsk> asks, TokenAnswers? answers, long now)
    {
        var decision = new Decision(null, TimeSpan.Zero, DecidedBy.Redis);
        var next = 0;
        foreach (var part in request)
        {
            if (part.IsOwn)
                continue;
            var ask = asks[next++];
            if (answers?.Each[next - 1] is not { } answer)
            {
                part.Bucket.NotAnswered(ask);
                continue;
            }

            part.Bucket.Answered(ask, answer, answers.Born, now, part.Rates);
            if (answer.Wait > decision.RetryAfter)
                decision = decision with { RefusedBy = part.Key.Kind, RetryAfter = answer.Wait };
        }

        return decision;
    }

    private Request[] Open(IReadOnlyList<Demand> demands)
    {
        var request = new Request[demands.Count];
        for (var i = 0; i < request.Length; i++)
        {
            var (key, limit) = demands[i];
            // So many at once are an attack: those that come on top share one bucket.
            if (buckets.Count >= RateLimitOptions.MaxBuckets && !buckets.ContainsKey(key))
                key = key with { Id = Guid.AllBitsSet };
            if (!buckets.TryGetValue(key, out var bucket))
                buckets.Add(key, bucket = new ReplicaBucket(limit));
            request[i] = new Request(key, bucket, new Rates(limit, redis is null ? 1 : replicas.Count, clock.TimestampFrequency));
        }

        return request;
    }

    private Decision? KnownEmpty(Request[] request)
    {
        var now = clock.GetTimestamp();
        Decision? refusal = null;
        foreach (var part in request)
        {
            var wait = redis is null ? part.Bucket.WaitAlone(now, part.Rates) : part.Bucket.KnownEmpty(now, part.Rates);
            if (wait > 0 && Time(wait) is var after && !(after <= refusal?.RetryAfter))
                refusal = new Decision(part.Key.Kind, after, DecidedBy.Memory);
        }

        return refusal;
    }

    private Decision Alone(Request[] request, DecidedBy by)
    {
        var now = clock.GetTimestamp();
        var decision = new Decision(null, TimeSpan.Zero, by);
        foreach (var part in request)
        {
            if (Time(part.Bucket.WaitAlone(now, part.Rates)) is var wait && wait > decision.RetryAfter)
                decision = decision with { RefusedBy = part.Key.Kind, RetryAfter = wait };
        }

        if (decision.RefusedBy is not null)
            return decision;
        foreach (var part in request)
        {
            if (by is DecidedBy.Fallback)
                part.Bucket.LetThroughUntold(now, part.Rates);
            else
                part.Bucket.LetThrough(now, part.Rates);
        }

        return decision;
    }

    private Decision Counted(Decision decision)
    {
        metrics.RateDecided(decision.By);
        if (decision.RefusedBy is { } kind)
            metrics.RateRefused(kind);
        return decision;
    }

    private TimeSpan Time(long ticks) => TimeSpan.FromSeconds((double)ticks / clock.TimestampFrequency);

    private record struct Request(BucketKey Key, ReplicaBucket Bucket, Rates Rates)
    {
        /// <summary>The token is one that this replica had.</summary>
        public bool IsOwn { get; set; }
    }
}
