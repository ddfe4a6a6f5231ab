using System.Diagnostics.Metrics;
using System.Text;
using LoyaltyService.Http;
using Microsoft.Extensions.Diagnostics.Metrics;
using Microsoft.Net.Http.Headers;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;

namespace LoyaltyService.Observability;

/// <summary>
/// <c>GET /metrics</c> for Prometheus, by OpenTelemetry's exporter. Metric names are given, so the exporter must not translate them. It is a preview
/// package; a test compares its output with a list.
/// </summary>
internal static class MetricsModule
{
    private const string Path = "/metrics";
    private const string MeterName = "LoyaltyService";

    public static void AddLoyaltyMetrics(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(static services => services.GetRequiredService<IMeterFactory>().Create(MeterName));
        builder.Services.AddSingleton<DailyCounts>();
        builder.Services.AddFeatureMetrics<RequestMetrics>();
        // Local: only this host's meter, even if two hosts share a process.
        builder.Services.AddMetrics(static metrics =>
            metrics.EnableMetrics(MeterName, instrumentName: null, listenerName: null, MeterScope.Local));
        builder.Services.AddOpenTelemetry().WithMetrics(static metrics => metrics.AddPrometheusExporter(static prometheus =>
        {
            prometheus.TranslationStrategy = PrometheusAspNetCoreTranslationStrategy.UnderscoreEscapingWithoutSuffixes;
            prometheus.ScopeInfoEnabled = false;
            prometheus.TargetInfoEnabled = false;
            // No cache: a scrape reads memory.
            prometheus.ScrapeResponseCacheDurationMilliseconds = 0;
        }));
    }

    /// <summary>Open to all callers, like the probes: it contains no customer data, and a scraper has no key.</summary>
    public static void MapMetrics(this WebApplication app) => app
        .MapPrometheusScrapingEndpoint(Path, meterProvider: null, static branch => branch.Use(ScrapeAsync), optionsName: null)
        .AllowAnonymous()
        .AlwaysAnswers()
        .ExcludeFromDescription();

    private static async Task ScrapeAsync(HttpContext context, RequestDelegate next)
    {
        // The first scrape creates them: gauges read databases that must not be opened before the schema is migrated.
        var features = context.RequestServices.GetServices<IFeatureMetrics>().ToList();
        // The exporter's other format, OpenMetrics, requires suffixes and _created series.
        context.Request.Headers.Accept = "text/plain; version=0.0.4";
        // Plain text is appended below, which would corrupt a compressed response.
        context.Request.Headers.Remove(HeaderNames.AcceptEncoding);
        foreach (var feature in features)
            feature.ShowAtZero();
        await next(context);

        var text = new StringBuilder();
        foreach (var histogram in features.SelectMany(feature => feature.Histograms))
        {
            if (!histogram.IsUsed)
                histogram.WriteEmpty(text);
        }

        if (text.Length > 0 && context.Response.StatusCode == StatusCodes.Status200OK)
            await context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }
}
