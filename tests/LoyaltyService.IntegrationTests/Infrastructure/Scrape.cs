using System.Globalization;
using System.Text.RegularExpressions;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>What Prometheus reads at <c>/metrics</c>.</summary>
internal sealed partial class Scrape
{
    private readonly Dictionary<string, double> values = [];

    private Scrape(string text)
    {
        Text = text;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
                Types.Add(line["# TYPE ".Length..]);
            if (line.StartsWith('#'))
                continue;
            var space = line.LastIndexOf(' ');
            Assert.True(values.TryAdd(line[..space].Replace("{}", "", StringComparison.Ordinal), double.Parse(line[(space + 1)..], CultureInfo.InvariantCulture)), $"Twice: {line}");
        }
    }

    public string Text { get; }

    /// <summary>Each metric's name and type.</summary>
    public List<string> Types { get; } = [];

    public IEnumerable<string> Series => values.Keys;

    /// <summary>The value of a series, such as <c>loyalty_errors_total{code="pdi_rejected"}</c>; null if it is not there.</summary>
    public double? this[string series] => values.TryGetValue(series, out var value) ? value : null;

    /// <summary>The names of a metric's labels.</summary>
    public IEnumerable<string> Labels(string metric) => Series
        .Where(series => series.StartsWith(metric + "{", StringComparison.Ordinal))
        .SelectMany(series => LabelName().Matches(series[metric.Length..]).Select(match => match.Groups[1].Value))
        .Distinct();

    public static async Task<Scrape> ReadAsync(LoyaltyApp app)
    {
        var answer = await app.GetAsync("/metrics", ("Accept", "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5"));
        Assert.Equal((200, "text/plain; version=0.0.4; charset=utf-8"), (answer.Status, answer.Headers["Content-Type"]));
        return new Scrape(answer.Text);
    }

    [GeneratedRegex("([a-z_]+)=\"")]
    private static partial Regex LabelName();
}
