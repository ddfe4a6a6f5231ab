using System.Diagnostics.Metrics;
using LoyaltyService.Observability;

namespace LoyaltyService.Loyalty;

internal sealed class LoyaltyMetrics(Meter meter) : IFeatureMetrics
{
    public DurationHistogram IdentifyDuration { get; } = new("loyalty_identify_duration_ms", "Time of an identify, from its request to its answer.", meter);

    public DurationHistogram CalculateDuration { get; } = new(
        "loyalty_calculate_duration_ms", "Time of a calculate-rewards, from its request to its answer.", meter);

    public DurationHistogram FinalizeDuration { get; } = new("loyalty_finalize_duration_ms", "Time of a finalize, from its request to its answer.", meter);

    public IReadOnlyList<DurationHistogram> Histograms => [IdentifyDuration, CalculateDuration, FinalizeDuration];
}
