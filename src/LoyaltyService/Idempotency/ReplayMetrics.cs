using System.Diagnostics.Metrics;
using LoyaltyService.Observability;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Idempotency;

internal sealed class ReplayMetrics(Meter meter) : IFeatureMetrics
{
    private readonly Counter<long> lookups = meter.Counter(
        "loyalty_replay_lookups", "Repeats that were answered from the cache (hit) or, since it had nothing, from the database (miss).");

    /// <summary>A repeat got the stored answer. The lookup of a first call, which finds nothing, is not counted.</summary>
    public void RepeatAnswered(bool fromCache) => lookups.Add(1, Result(fromCache));

    public void ShowAtZero()
    {
        lookups.Add(0, Result(fromCache: true));
        lookups.Add(0, Result(fromCache: false));
    }

    private static Label Result(bool fromCache) => new("result", fromCache ? "hit" : "miss");
}
