using System.Diagnostics.Metrics;
using LoyaltyService.Observability;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Pdi;

internal sealed class PdiMetrics(Meter meter, DailyCounts daily) : IFeatureMetrics
{
    private readonly DurationHistogram duration = new(
        "pdi_request_duration_ms", "Time of one request to PDI; a retry is a request of its own.", meter,
        [.. PdiOperations.All.Select(operation => new[] { new Label("operation", operation), new Label("outcome", PdiOutcomes.Ok) })]);

    public IReadOnlyList<DurationHistogram> Histograms => [duration];

    /// <param name="operation">One of <see cref="PdiOperations"/>.</param>
    /// <param name="outcome">One of <see cref="PdiOutcomes"/>.</param>
    /// <param name="took">With the body of the answer.</param>
    public void PdiAnswered(string operation, string outcome, TimeSpan took)
    {
        duration.Record(took, new Label("operation", operation), new Label("outcome", outcome));
        daily.PdiAnswered(outcome == PdiOutcomes.Failed);
    }
}

/// <summary>PDI's requests as labels.</summary>
internal static class PdiOperations
{
    public const string Identify = "identify";
    public const string Calculate = "calculate";
    public const string Finalize = "finalize";
    public const string Status = "status";
    public const string Token = "token";

    public static readonly IReadOnlyList<string> All = [Identify, Calculate, Finalize, Status, Token];
}

/// <summary>How a request to PDI ended.</summary>
internal static class PdiOutcomes
{
    public const string Ok = "ok";

    /// <summary>PDI works, and refused the business.</summary>
    public const string Rejected = "rejected";

    /// <summary>No clean answer, or the credentials were refused.</summary>
    public const string Failed = "failed";
}
