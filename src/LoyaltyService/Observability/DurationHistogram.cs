using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Observability;

/// <summary>
/// A histogram of milliseconds that is visible before its first value. OpenTelemetry exports a histogram only after its first record, and a dashboard
/// or alert without data cannot tell a quiet service from a wrong name. Until then <see cref="WriteEmpty"/> writes the lines that OpenTelemetry
/// will write.
/// </summary>
internal sealed class DurationHistogram(string name, string description, Meter meter, Label[][]? emptySeries = null)
{
    // Milliseconds. 1 to 25 for the service's own time, 2 s for the latency alert, 3, 5, 8 and 10 s for PDI's budgets.
    private static readonly double[] Buckets = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 5000, 8000, 10000];

    private readonly Histogram<double> histogram = meter.CreateHistogram(
        name, "ms", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });

    private readonly Label[][] emptySeries = emptySeries ?? [[]];
    private bool isUsed;

    /// <summary>True before the first value is recorded, so a scrape that reads this afterwards never shows the histogram twice.</summary>
    public bool IsUsed => Volatile.Read(ref isUsed);

    public void Record(TimeSpan took, params ReadOnlySpan<Label> labels)
    {
        if (!IsUsed)
            Volatile.Write(ref isUsed, true);
        histogram.Record(took.TotalMilliseconds, labels);
    }

    public void WriteEmpty(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} histogram\n# HELP {name} {description}\n");
        foreach (var series in emptySeries)
        {
            var labels = string.Concat(series.Select(label => $"{label.Key}=\"{label.Value}\","));
            foreach (var bound in Buckets)
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}le=\"{bound}\"}} 0\n");
            text.Append($"{name}_bucket{{{labels}le=\"+Inf\"}} 0\n");
            text.Append($"{name}_sum{{{labels.TrimEnd(',')}}} 0\n{name}_count{{{labels.TrimEnd(',')}}} 0\n");
        }
    }
}
