using System.Diagnostics.Metrics;
using LoyaltyService.Observability;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Jobs;

internal sealed class ReconciliationMetrics(Meter meter) : IFeatureMetrics
{
    private readonly Counter<long> findings = meter.Counter(
        "loyalty_reconciliation_findings", "Differences between the sessions here and PDI's records, by kind.");

    /// <param name="kind">One of <see cref="FindingKinds"/>.</param>
    public void FindingFound(string kind) => findings.Add(1, new Label("kind", kind));

    public void ShowAtZero()
    {
        foreach (var kind in FindingKinds.All)
            findings.Add(0, new Label("kind", kind));
    }
}
