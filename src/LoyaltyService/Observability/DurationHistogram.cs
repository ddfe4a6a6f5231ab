using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Observability;

/// <summary>
/// A histogram of milliseconds that can be shown before its first value. OpenTelemetry knows of a histogram only from its first
/// record on, and has no way to show one that is empty; a dashboard or an alert that finds nothing cannot tell a quiet service from a
/// wrong name. So until then <see cref="WriteEmpty"/> gives the lines that OpenTelemetry will give from then on.
/// </summary>
internal sealed class DurationHistogram(string name, string description, Meter meter, Label[][]? emptySeries = null)
{
    // Milliseconds. 1 to 25 for what the service itself takes, 2 s for the latency alert, 3, 5, 8 and 10 s for PDI's budgets.
    private static readonly double[] Buckets = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 5000, 8000, 10000];

    private readonly Histogram<double> histogram = meter.CreateHistogram(
        name, "ms", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });

    private readonly Label[][] emptySeries = emptySeries ?? [[]];
    private bool isUsed;

    /// <summary>True before the first value is in the histogram: who reads this after a scrape never shows the histogram twice.</summary>
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
