
namespace LoyaltyService.RateLimits;

/// <summary>
/// Decides about requests. A request needs a token from each of several buckets, and gets all of them or none. All replicas share the
/// buckets in Redis; while Redis is away, each replica admits its share of the limits.
/// </summary>
/// <param name="redis">Null if this process shares its limits with no other.</param>
internal sealed class RateLimiter(RedisBuckets? redis, LocalBuckets local, RateLimitMetrics metrics)
{
    /// <summary>Refuses the request if a bucket is known to be empty. Takes nothing.</summary>
    public Decision? RefuseAtOnce(IReadOnlyList<Demand> demands) =>
        local.KnownEmpty(demands) is { } refusal ? Counted(refusal) : null;

    /// <param name="demands">Buckets, each at most once.</param>
    public async ValueTask<Decision> DecideAsync(IReadOnlyList<Demand> demands)
    {
        if (redis is null)
            return Counted(local.DecideAlone(demands, DecidedBy.Memory));
        if (local.TryDecide(demands) is { } known)
            return Counted(known);

        var unreported = local.TakeUnreported(demands);
        var answer = await redis.TakeAsync(demands, unreported);
        if (answer is { Waits: { } waits })
            return Counted(local.Record(demands, unreported, waits));

        local.NotReported(demands, unreported);
        if (answer is { WasReset: true })
            local.ReportAgain();
        return Counted(local.DecideAlone(demands, DecidedBy.Fallback));
    }

    private Decision Counted(Decision decision)
    {
        metrics.RateDecided(decision.By);
        if (decision.RefusedBy is { } kind)
            metrics.RateRefused(kind);
        return decision;
    }
}
