using System.Diagnostics;
using System.Text.RegularExpressions;
using LoyaltyService.Health;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Observability;

public sealed class MetricsTests : IAsyncLifetime
{
    // Name, type, labels. Alerts and dashboards depend on them.
    private static readonly (string Metric, string Type, string[] Labels)[] Golden =
    [
        ("db_connection_pool_size", "gauge", ["state"]),
        ("db_transaction_rollbacks", "counter", []),
        ("http_requests_total", "counter", ["endpoint", "method", "status"]),
        ("loyalty_calculate_duration_ms", "histogram", []),
        ("loyalty_dependency_up", "gauge", ["dependency"]),
        ("loyalty_errors_total", "counter", ["code"]),
        ("loyalty_estimate_differences", "counter", []),
        ("loyalty_finalize_duration_ms", "histogram", []),
        ("loyalty_identify_duration_ms", "histogram", []),
        ("loyalty_job_runs", "counter", ["job_name", "outcome"]),
        ("loyalty_log_drops", "counter", []),
        ("loyalty_memory_limit_bytes", "gauge", []),
        ("loyalty_queue_items", "gauge", ["state"]),
        ("loyalty_queue_max_items", "gauge", []),
        ("loyalty_queue_oldest_seconds", "gauge", []),
        ("loyalty_rate_limit_decisions", "counter", ["by"]),
        ("loyalty_rate_limit_refusals", "counter", ["limit"]),
        ("loyalty_reconciliation_findings", "counter", ["kind"]),
        ("loyalty_replay_lookups", "counter", ["result"]),
        ("pdi_circuit_breaker_state", "gauge", []),
        ("pdi_request_duration_ms", "histogram", ["operation", "outcome"]),
        ("points_earned_total", "counter", []),
        ("points_redeemed_total", "counter", []),
        ("process_memory_bytes", "gauge", []),
        ("redis_connections_active", "gauge", []),
        ("session_expiry_count", "counter", []),
        ("sessions_created_count", "counter", []),
        ("sessions_finalized_count", "counter", []),
    ];

    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(
        Backend.Postgres, services: services => services.AddSingleton(new PdiOptions { BreakerOpenTime = TimeSpan.FromSeconds(1) }));

    public ValueTask DisposeAsync() => app.DisposeAsync();

    [Fact]
    public async Task The_first_scrape_has_exactly_the_documented_metrics()
    {
        var first = await Scrape.ReadAsync(app);

        Assert.Equal(Golden.Select(metric => $"{metric.Metric} {metric.Type}"), first.Types.Order(StringComparer.Ordinal));
        Assert.All(Golden, metric => Assert.Equal(metric.Labels, first.Labels(metric.Type == "histogram" ? metric.Metric + "_count" : metric.Metric)));
        Assert.All(
            first.Series.Where(series => Golden.Any(metric => metric.Type != "gauge" && series.StartsWith(metric.Metric, StringComparison.Ordinal))),
            series => Assert.Equal(0, first[series]));
    }

    [Fact]
    public async Task Failures_of_till_routes_start_at_zero()
    {
        var first = await Scrape.ReadAsync(app);

        foreach (var (route, method) in new[] { ("identify", "POST"), ("calculate-rewards", "POST"), ("finalize", "POST"), ("sessions/{sessionId}", "GET"), ("getSessionStatus", "GET") })
            Assert.All([500, 503], status => Assert.Equal(0, first[$$"""http_requests_total{endpoint="/loyalty/{{route}}",method="{{method}}",status="{{status}}"}"""]));
    }

    [Fact]
    public async Task An_empty_histogram_has_the_same_buckets_as_a_filled_one()
    {
        string[] bounds = ["1", "2.5", "5", "10", "25", "50", "100", "250", "500", "1000", "2000", "3000", "5000", "8000", "10000", "+Inf"];

        var before = BoundsOf((await app.GetAsync("/metrics")).Text);
        await SellAsync();
        var after = BoundsOf((await app.GetAsync("/metrics")).Text);

        Assert.Equal(["loyalty_calculate_duration_ms", "loyalty_finalize_duration_ms", "loyalty_identify_duration_ms", "pdi_request_duration_ms"], before.Keys.Order(StringComparer.Ordinal));
        Assert.All(before.Values.Concat(after.Values), seen => Assert.Equal(bounds, seen));
        Assert.Equal(before.Keys.Order(StringComparer.Ordinal), after.Keys.Order(StringComparer.Ordinal));

        static Dictionary<string, string[]> BoundsOf(string scrape) => Regex.Matches(scrape, "^(\\w+)_bucket\\{.*le=\"([^\"]+)\"", RegexOptions.Multiline)
            .GroupBy(line => line.Groups[1].Value).ToDictionary(lines => lines.Key, lines => lines.Select(line => line.Groups[2].Value).Distinct().ToArray());
    }

    [Fact]
    public async Task A_scraper_that_accepts_gzip_gets_the_complete_text()
    {
        var answer = await app.GetAsync("/metrics", ("Accept-Encoding", "gzip"));

        Assert.DoesNotContain("Content-Encoding", answer.Headers.Keys);
        Assert.Contains("\nsessions_created_count{} 0\n", answer.Text, StringComparison.Ordinal);
        Assert.Contains("\nloyalty_finalize_duration_ms_count{} 0\n", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_types_and_labels_stay_the_same_under_load()
    {
        await SellAsync();
        await app.GetAsync("/no/such/place");

        var after = await Scrape.ReadAsync(app);

        Assert.Equal(Golden.Select(metric => $"{metric.Metric} {metric.Type}"), after.Types.Order(StringComparer.Ordinal));
        Assert.All(Golden, metric => Assert.Equal(metric.Labels, after.Labels(metric.Type == "histogram" ? metric.Metric + "_count" : metric.Metric)));
    }

    [Fact]
    public async Task A_sale_is_counted_and_timed()
    {
        await SellAsync();

        var after = await Scrape.ReadAsync(app);

        Assert.Equal((1, 1, 450, 0), (after["sessions_created_count"], after["sessions_finalized_count"], after["points_earned_total"], after["points_redeemed_total"]));
        Assert.Equal((1, 1, 1), (after["loyalty_identify_duration_ms_count"], after["loyalty_calculate_duration_ms_count"], after["loyalty_finalize_duration_ms_count"]));
        Assert.All(["identify", "calculate", "finalize", "token"], operation =>
            Assert.Equal(1, after[$$"""pdi_request_duration_ms_count{operation="{{operation}}",outcome="ok"}"""]));
        Assert.InRange(after["loyalty_finalize_duration_ms_sum"]!.Value, 0.1, 60_000);
        Assert.Equal(1, after["""http_requests_total{endpoint="/loyalty/finalize",method="POST",status="200"}"""]);
    }

    [Fact]
    public async Task Replays_are_counted_as_cache_hits_or_misses()
    {
        var sale = await SellAsync();
        await sale.FinalizeAsync();
        await using var withoutRedis = await LoyaltyApp.StartAsync(
            Backend.Postgres, new() { ["REDIS_URL"] = "redis://127.0.0.1:1" }, app.Database, app.Pdi);
        await (sale with { App = withoutRedis }).FinalizeAsync();
        await (sale with { App = withoutRedis }).IdentifyAsync();

        var with = await Scrape.ReadAsync(app);
        var without = await Scrape.ReadAsync(withoutRedis);

        Assert.Equal((1, 0), (with["""loyalty_replay_lookups{result="hit"}"""], with["""loyalty_replay_lookups{result="miss"}"""]));
        Assert.Equal((0, 2), (without["""loyalty_replay_lookups{result="hit"}"""], without["""loyalty_replay_lookups{result="miss"}"""]));
    }

    [Fact]
    public async Task Errors_are_counted_by_code_and_paths_never_become_labels()
    {
        await app.GetAsync("/health");
        await app.PostAsync("/loyalty/identify", "{}");
        await new Sale(app) { CustomerId = "CUST-NOBODY" }.IdentifyAsync();
        await app.GetAsync("/no/such/place");
        using var odd = new HttpRequestMessage(new HttpMethod("BREW"), "/coffee");
        await app.SendAsync(odd);

        var after = await Scrape.ReadAsync(app);

        Assert.Equal(1, after["""loyalty_errors_total{code="validation_failed"}"""]);
        Assert.Equal(1, after["""loyalty_errors_total{code="pdi_rejected"}"""]);
        Assert.Equal(2, after["""loyalty_errors_total{code="not_found"}"""]);
        Assert.Equal(1, after["""pdi_request_duration_ms_count{operation="identify",outcome="rejected"}"""]);
        Assert.Equal(1, after["""http_requests_total{endpoint="/health",method="GET",status="200"}"""]);
        Assert.Equal(1, after["""http_requests_total{endpoint="unmatched",method="GET",status="404"}"""]);
        Assert.Equal(1, after["""http_requests_total{endpoint="unmatched",method="other",status="404"}"""]);
        Assert.DoesNotContain("coffee", after.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("such", after.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_PDI_the_queue_fills_and_wrong_estimates_are_counted()
    {
        await app.Pdi.OutageAsync();
        var sale = await new Sale(app) { CustomerId = "CUST-GOLD" }.IdentifiedAsync();
        await sale.CalculateAsync();
        await sale.FinalizeAsync();
        // This call is the fifth failure in a row.
        await new Sale(app) { CustomerId = "CUST-GOLD" }.IdentifyAsync();
        var during = await SampledAsync();
        await app.Pdi.HealAsync();
        await app.LeasesRunOutAsync();
        await Eventually.GetAsync(sale.StatusAsync, status => status.Json.GetProperty("status").GetString() == "finalized", "the sale is settled");
        var after = await SampledAsync();

        Assert.Equal(2, during["""loyalty_queue_items{state="waiting"}"""]);
        Assert.True(during["loyalty_queue_oldest_seconds"] > 0);
        Assert.Equal((2, 0), (during["pdi_circuit_breaker_state"], during["""loyalty_dependency_up{dependency="pdi"}"""]));
        Assert.Equal((0, 1), (after["pdi_circuit_breaker_state"], after["""loyalty_dependency_up{dependency="pdi"}"""]));
        Assert.Equal(1, after["loyalty_estimate_differences"]);
    }

    [Fact]
    public async Task Gauges_show_connections_and_memory()
    {
        await SellAsync();

        var after = await SampledAsync();

        Assert.True(after["""db_connection_pool_size{state="idle"}"""] + after["""db_connection_pool_size{state="used"}"""] >= 1, after.Text);
        Assert.Equal(1, after["redis_connections_active"]);
        Assert.InRange(after["process_memory_bytes"]!.Value, 10e6, after["loyalty_memory_limit_bytes"]!.Value);
    }

    [Fact]
    public async Task A_scrape_under_load_takes_under_10_ms_and_40_KB()
    {
        for (var number = 0; number < 100; number++)
        {
            var sale = await SellAsync();
            await sale.FinalizeAsync(redeemPoints: 1);
            await sale.StatusAsync();
            await new Sale(app) { CustomerId = "CUST-NOBODY" }.IdentifyAsync();
        }

        // The fastest of several, because other tests share the machine.
        var quickest = TimeSpan.MaxValue;
        var size = 0;
        for (var number = 0; number < 20; number++)
        {
            var started = Stopwatch.GetTimestamp();
            size = (await Scrape.ReadAsync(app)).Text.Length;
            quickest = TimeSpan.FromTicks(Math.Min(quickest.Ticks, Stopwatch.GetElapsedTime(started).Ticks));
        }

        Assert.InRange(quickest, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));
        Assert.InRange(size, 1_000, 40_000);
    }

    private async Task<Sale> SellAsync()
    {
        var sale = await new Sale(app) { CustomerId = "CUST-GOLD" }.IdentifiedAsync();
        await sale.CalculateAsync();
        Assert.Equal(200, (await sale.FinalizeAsync()).Status);
        return sale;
    }

    private async Task<Scrape> SampledAsync()
    {
        await app.Services.GetRequiredService<HealthSampler>().SampleAsync(TestContext.Current.CancellationToken);
        return await Scrape.ReadAsync(app);
    }
}
