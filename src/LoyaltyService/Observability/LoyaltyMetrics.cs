using System.Diagnostics.Metrics;

namespace LoyaltyService.Observability;

/// <summary>What the service counts: one method an event, so that a name stands in one place.</summary>
internal sealed class LoyaltyMetrics
{
    public const string MeterName = "LoyaltyService";

    private readonly Counter<long> estimateDifferences;
    private readonly Counter<long> sessionExpiries;
    private readonly Counter<long> jobRuns;
    private readonly Counter<long> findings;

    public LoyaltyMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        sessionExpiries = meter.CreateCounter<long>("session_expiry_count", description: "Sessions that expired before they were finalized.");
        findings = meter.CreateCounter<long>("loyalty_reconciliation_findings", description: "Differences between the sessions here and PDI's records.");
        jobRuns = meter.CreateCounter<long>("loyalty_job_runs", description: "Runs of the background jobs that ended.");
        estimateDifferences = meter.CreateCounter<long>(
            "loyalty_estimate_differences", description: "Finalized sales for which PDI gave other points than the till had been told while PDI could not be asked.");
    }

    public void SessionsExpired(int count) => sessionExpiries.Add(count);

    /// <param name="job">The job's name.</param>
    /// <param name="outcome"><c>done</c> or <c>failed</c>.</param>
    public void JobEnded(string job, string outcome) =>
        jobRuns.Add(1, new KeyValuePair<string, object?>("job", job), new KeyValuePair<string, object?>("outcome", outcome));

    /// <param name="kind">What differed.</param>
    public void FindingFound(string kind) => findings.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void EstimateDiffered() => estimateDifferences.Add(1);
}
