using System.Diagnostics.Metrics;
using LoyaltyService.Observability;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.RateLimits;

internal sealed class RateLimitMetrics(Meter meter) : IFeatureMetrics
{
    private readonly Counter<long> decisions = meter.Counter(
        "loyalty_rate_limit_decisions", "Requests that were held against the rate limits, by who decided.");

    private readonly Counter<long> refusals = meter.Counter("loyalty_rate_limit_refusals", "Requests that were refused by a rate limit, by limit.");

    public void RateDecided(DecidedBy by) => decisions.Add(1, LabelOf(by));

    public void RateRefused(LimitKind limit) => refusals.Add(1, LabelOf(limit));

    public void ShowAtZero()
    {
        foreach (var by in Enum.GetValues<DecidedBy>())
            decisions.Add(0, LabelOf(by));
        foreach (var limit in Enum.GetValues<LimitKind>())
            refusals.Add(0, LabelOf(limit));
    }

    private static Label LabelOf(DecidedBy by) => new("by", by switch
    {
        DecidedBy.Memory => "memory",
        DecidedBy.Redis => "redis",
        _ => "fallback",
    });

    private static Label LabelOf(LimitKind limit) => new("limit", limit switch
    {
        LimitKind.Global => "global",
        LimitKind.Customer => "customer",
        LimitKind.Address => "address",
        _ => "client",
    });
}
