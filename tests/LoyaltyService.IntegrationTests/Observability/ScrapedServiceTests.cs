using System.Text.Json;
using System.Text.RegularExpressions;
using LoyaltyService.Commands;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>The queries of dashboards, alerts and the runbook, against a real Prometheus and a running service.</summary>
public sealed partial class ScrapedServiceTests(ScrapedService service) : IClassFixture<ScrapedService>
{
    private Prometheus Prometheus => service.Prometheus;

    public static TheoryData<string> Dashboards =>
        [.. Directory.EnumerateFiles(Repository.PathOf("deploy/grafana"), "*.json").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Every_alert_queries_existing_series()
    {
        var rules = await Prometheus.RulesAsync();

        Assert.Equal(Alert.All().Select(alert => alert.Name), rules.Select(rule => rule.GetProperty("name").GetString()));
        Assert.All(rules, rule => Assert.True(rule.GetProperty("health").GetString() == "ok", rule.ToString()));
        foreach (var rule in rules)
            await SelectsSomethingAsync(rule.GetProperty("query").GetString()!);
    }

    [Fact]
    public async Task Every_runbook_query_uses_existing_series()
    {
        var queries = Query().Matches(Repository.ReadAllText("docs/runbook.md")).Select(match => match.Groups["query"].Value).ToList();

        Assert.True(queries.Count > 10, "The runbook has no queries.");
        foreach (var query in queries)
        {
            await Prometheus.QueryAsync(query);
            await SelectsSomethingAsync(query);
        }
    }

    [Theory]
    [MemberData(nameof(Dashboards))]
    public async Task Every_panel_of_a_dashboard_has_data(string file)
    {
        using var dashboard = JsonDocument.Parse(Repository.ReadAllText("deploy/grafana/" + file));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() != "row").ToList();

        Assert.NotEmpty(panels);
        foreach (var query in panels.SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!))
        {
            var asked = Variable().Replace(query, match => match.Value == "$instance" ? ".+" : "5m");
            Assert.DoesNotContain("$", asked, StringComparison.Ordinal);
            await Prometheus.HasDataAsync(asked);
        }
    }

    [Theory]
    [MemberData(nameof(Dashboards))]
    public void A_dashboard_queries_the_selected_data_source(string file)
    {
        using var dashboard = JsonDocument.Parse(Repository.ReadAllText("deploy/grafana/" + file));
        var root = dashboard.RootElement;
        var panels = root.GetProperty("panels").EnumerateArray().ToList();

        Assert.Contains(root.GetProperty("templating").GetProperty("list").EnumerateArray(), variable =>
            (variable.GetProperty("name").GetString(), variable.GetProperty("type").GetString()) == ("datasource", "datasource"));
        Assert.All(panels, panel => Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString()));
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.Equal("loyalty-" + Path.GetFileNameWithoutExtension(file), root.GetProperty("uid").GetString());
    }

    [Fact]
    public async Task The_smoke_test_checks_scrapes_alerts_and_traffic_in_Prometheus()
    {
        using var http = new HttpClient();
        var monitoring = new SmokeMonitoring(http, Prometheus.Address);

        Assert.Equal("from 1 replicas", await monitoring.ScrapedAsync());
        // The outage is too short to fire any alert.
        Assert.Equal("none fires", await monitoring.NoAlertsAsync());
        Assert.Matches(@"^0\.[0-9]+ calls/s, 0\.00 in the hour before, 0\.[0-9]+ answered 5xx$", await SeenAsync());

        async Task<string> SeenAsync()
        {
            try
            {
                return await monitoring.TrafficAsync();
            }
            // The outage has a 503, which may be too large a share of few requests.
            catch (SmokeException tooMany)
            {
                return tooMany.Message;
            }
        }
    }

    [Theory]
    [InlineData("sum by (job) (rate(a_b{x=\"c(d)\", y=~\"e.*\"}[2m])) / on (job) f offset 1d > 0.5", new[] { "a_b{x=\"c(d)\", y=~\"e.*\"}", "f" })]
    [InlineData("label_replace(histogram_quantile(0.99, g_bucket), \"h\", \"i\", \"\", \"\") unless absent(up) or j", new[] { "g_bucket", "up", "j" })]
    public void Selectors_are_extracted_from_a_query(string query, string[] selectors) => Assert.Equal(selectors, PromQl.Selectors(query));

    private async Task SelectsSomethingAsync(string query)
    {
        var selectors = PromQl.Selectors(query);
        Assert.True(selectors.Count > 0, $"{query} asks for nothing.");
        foreach (var selector in selectors)
            await Prometheus.HasDataAsync($"count(last_over_time({selector}[5m]))");
    }

    [GeneratedRegex(@"^```promql\n(?<query>.+?)\n```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Query();

    [GeneratedRegex(@"\$(instance|__rate_interval|__range)\b")]
    private static partial Regex Variable();
}
