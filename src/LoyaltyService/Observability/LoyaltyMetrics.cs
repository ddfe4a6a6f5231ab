using System.Diagnostics.Metrics;

namespace LoyaltyService.Observability;

/// <summary>What the service counts: one method an event, so that a name stands in one place.</summary>
internal sealed class LoyaltyMetrics
{
    public const string MeterName = "LoyaltyService";

    private readonly Counter<long> estimateDifferences;

    public LoyaltyMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        estimateDifferences = meter.CreateCounter<long>(
            "loyalty_estimate_differences", description: "Finalized sales for which PDI gave other points than the till had been told while PDI could not be asked.");
    }

    public void EstimateDiffered() => estimateDifferences.Add(1);
}
