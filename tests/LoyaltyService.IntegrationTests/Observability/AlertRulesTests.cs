using System.Text.RegularExpressions;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>Checks the alerts and their metrics with promtool.</summary>
public sealed partial class AlertRulesTests
{
    private static readonly string[] TestFiles = ["alerts.test.yaml", "alerts.days.test.yaml"];

    // Required names, and our counters in the same style: docs/architecture.md.
    private static readonly string[] GivenNames =
    [
        """db_transaction_rollbacks counter metrics should have "_total" suffix""",
        "loyalty_calculate_duration_ms metric names should not contain abbreviated units",
        """loyalty_estimate_differences counter metrics should have "_total" suffix""",
        "loyalty_finalize_duration_ms metric names should not contain abbreviated units",
        "loyalty_identify_duration_ms metric names should not contain abbreviated units",
        """loyalty_job_runs counter metrics should have "_total" suffix""",
        """loyalty_log_drops counter metrics should have "_total" suffix""",
        """loyalty_rate_limit_decisions counter metrics should have "_total" suffix""",
        """loyalty_rate_limit_refusals counter metrics should have "_total" suffix""",
        """loyalty_reconciliation_findings counter metrics should have "_total" suffix""",
        """loyalty_replay_lookups counter metrics should have "_total" suffix""",
        "pdi_request_duration_ms metric names should not contain abbreviated units",
        """session_expiry_count counter metrics should have "_total" suffix""",
        """session_expiry_count non-histogram and non-summary metrics should not have "_count" suffix""",
        """sessions_created_count counter metrics should have "_total" suffix""",
        """sessions_created_count non-histogram and non-summary metrics should not have "_count" suffix""",
        """sessions_finalized_count counter metrics should have "_total" suffix""",
        """sessions_finalized_count non-histogram and non-summary metrics should not have "_count" suffix""",
    ];

    [Fact]
    public async Task The_rules_and_the_configuration_of_Prometheus_are_valid()
    {
        var (exitCode, output) = await Prometheus.RunPromtoolAsync("", "check", "config", "--lint=all", "--lint-fatal", PathOf("prometheus.yaml"));

        Assert.True(exitCode == 0, output);
        Assert.Contains($"SUCCESS: {Alert.All().Count} rules found", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alerts.test.yaml")]
    [InlineData("alerts.days.test.yaml")]
    public async Task Each_alert_fires_only_in_its_firing_case(string file)
    {
        var (exitCode, output) = await Prometheus.RunPromtoolAsync("", "test", "rules", PathOf(file));

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void Every_alert_has_a_firing_and_a_quiet_case()
    {
        var cases = TestFiles.SelectMany(file => Case().Matches(Repository.ReadAllText(Alert.Folder + file)))
            .Select(match => (Alert: match.Groups["name"].Value, Fires: match.Groups["none"].Length == 0))
            .ToHashSet();

        Assert.All(Alert.All(), alert => Assert.True(cases.Contains((alert.Name, true)) && cases.Contains((alert.Name, false)), alert.Name));
    }

    [Fact]
    public async Task Promtool_accepts_the_metrics_except_for_required_names()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var scrape = await Scrape.ReadAsync(app);

        var (_, output) = await Prometheus.RunPromtoolAsync(scrape.Text, "check", "metrics");

        Assert.Equal(GivenNames, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Prometheus_fills_in_the_alerts_templates()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite);
        // Each fires at once for the scraped service.
        var rules = Pause().Replace(Expression().Replace(Repository.ReadAllText(Alert.Folder + "alerts.yaml"), "${key}up\n"), "");
        await using var prometheus = await Prometheus.StartAsync(app.Address, rules);

        var said = await Eventually.GetAsync(
            async () => (await prometheus.RulesAsync())
                .Where(rule => rule.GetProperty("alerts").GetArrayLength() > 0)
                .ToDictionary(rule => rule.GetProperty("name").GetString()!, rule => rule.GetProperty("alerts")[0].GetProperty("annotations")),
            said => said.Count == Alert.All().Count, "every alert fires", TimeSpan.FromSeconds(60));

        Assert.All(said, alert => Assert.All(["summary", "description"], name =>
        {
            Assert.True(alert.Value.TryGetProperty(name, out var text) && text.GetString()!.Length > 10, $"{alert.Key} has no {name}.");
            Assert.DoesNotContain("{{", text.GetString(), StringComparison.Ordinal);
            Assert.DoesNotContain("error expanding", text.GetString(), StringComparison.Ordinal);
        }));
    }

    private static string PathOf(string file) => Repository.PathOf(Alert.Folder + file);

    [GeneratedRegex("""expr: ALERTS\{alertname="(?<name>\w+)".*\n *eval_time: .*\n *exp_samples:(?<none> \[\])?\n""")]
    private static partial Regex Case();

    // Reads across a block to the next key at the same depth.
    [GeneratedRegex("""^(?<key> {8}expr: ).*\n( {10}.*\n)*""", RegexOptions.Multiline)]
    private static partial Regex Expression();

    [GeneratedRegex("""^ {8}(for|keep_firing_for): .*\n""", RegexOptions.Multiline)]
    private static partial Regex Pause();
}
