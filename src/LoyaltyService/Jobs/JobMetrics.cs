using System.Diagnostics.Metrics;
using LoyaltyService.Observability;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Jobs;

internal sealed class JobMetrics(Meter meter, IEnumerable<IJob> jobs) : IFeatureMetrics
{
    private readonly Counter<long> runs = meter.Counter("loyalty_job_runs", "Runs of jobs, by outcome.");

    /// <summary>The label is not <c>job</c>: Prometheus keeps that one for its targets.</summary>
    /// <param name="succeeded">False if it ended with an exception.</param>
    public void JobEnded(IJob job, bool succeeded) => runs.Add(1, Labels(job, succeeded));

    public void ShowAtZero()
    {
        foreach (var job in jobs)
        {
            runs.Add(0, Labels(job, succeeded: true));
            runs.Add(0, Labels(job, succeeded: false));
        }
    }

    private static Label[] Labels(IJob job, bool succeeded) => [new("job_name", job.Name), new("outcome", succeeded ? "done" : "failed")];
}
