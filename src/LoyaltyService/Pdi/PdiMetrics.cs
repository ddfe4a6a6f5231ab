using System.Diagnostics.Metrics;
using LoyaltyService.Observability;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Pdi;

internal sealed class PdiMetrics(Meter meter, DailyCounts daily) : IFeatureMetrics
{
    private readonly DurationHistogram duration = new(
        "pdi_request_duration_ms", "Time of one request to PDI; a retry counts as a separate request.", meter,
        [.. PdiOperations.All.Select(operation => new[] { new Label("operation", operation), new Label("outcome", PdiOutcomes.Ok) })]);

    public IReadOnlyList<DurationHistogram> Histograms => [duration];

    /// <param name="operation">One of <see cref="PdiOperations"/>.</param>
    /// <param name="outcome">One of <see cref="PdiOutcomes"/>.</param>
    /// <param name="took">Including the body.</param>
    public void PdiAnswered(string operation, string outcome, TimeSpan took)
    {
        duration.Record(took, new Label("operation", operation), new Label("outcome", outcome));
        daily.PdiAnswered(outcome == PdiOutcomes.Failed);
    }
}

/// <summary>The label <c>operation</c>.</summary>
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

    /// <summary>PDI works, and rejected the request.</summary>
    public const string Rejected = "rejected";

    /// <summary>No clean answer, or rejected credentials.</summary>
    public const string Failed = "failed";
}
