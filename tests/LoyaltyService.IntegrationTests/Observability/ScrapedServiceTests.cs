using System.Text.Json;
using System.Text.RegularExpressions;
using LoyaltyService.Commands;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Observability;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>Dashboards, alerts and the runbook ask for what a real Prometheus has of a running service.</summary>
public sealed partial class ScrapedServiceTests(ScrapedService service) : IClassFixture<ScrapedService>
{
    private Prometheus Prometheus => service.Prometheus;

    public static TheoryData<string> Dashboards =>
        [.. Directory.EnumerateFiles(Repository.PathOf("deploy/grafana"), "*.json").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Every_alert_is_evaluated_and_asks_for_series_that_are_there()
    {
        var rules = await Prometheus.RulesAsync();

        Assert.Equal(Alert.All().Select(alert => alert.Name), rules.Select(rule => rule.GetProperty("name").GetString()));
        Assert.All(rules, rule => Assert.True(rule.GetProperty("health").GetString() == "ok", rule.ToString()));
        foreach (var rule in rules)
            await SelectsSomethingAsync(rule.GetProperty("query").GetString()!);
    }

    [Fact]
    public async Task Every_query_of_the_runbook_asks_for_series_that_are_there()
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
    public void A_dashboard_asks_the_data_source_that_its_reader_chooses(string file)
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
    public async Task The_smoke_test_asks_prometheus_whether_all_replicas_are_scraped_whether_alerts_fire_and_whether_tills_still_come()
    {
        using var http = new HttpClient();
        var monitoring = new SmokeMonitoring(http, Prometheus.Address);

        Assert.Equal("from 1 replicas", await monitoring.ScrapedAsync());
        // The outage is younger than any alert is patient.
        Assert.Equal("none fires", await monitoring.NoAlertsAsync());
        Assert.Matches(@"^0\.[0-9]+ calls/s, 0\.00 in the hour before, 0\.[0-9]+ answered 5xx$", await SeenAsync());

        async Task<string> SeenAsync()
        {
            try
            {
                return await monitoring.TrafficAsync();
            }
            // The class's outage has a 503, which may be one in too few.
            catch (SmokeException tooMany)
            {
                return tooMany.Message;
            }
        }
    }

    [Theory]
    [InlineData("sum by (job) (rate(a_b{x=\"c(d)\", y=~\"e.*\"}[2m])) / on (job) f offset 1d > 0.5", new[] { "a_b{x=\"c(d)\", y=~\"e.*\"}", "f" })]
    [InlineData("label_replace(histogram_quantile(0.99, g_bucket), \"h\", \"i\", \"\", \"\") unless absent(up) or j", new[] { "g_bucket", "up", "j" })]
    public void The_selectors_of_a_query_are_what_it_asks_for(string query, string[] selectors) => Assert.Equal(selectors, PromQl.Selectors(query));

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
