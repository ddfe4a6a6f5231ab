using System.Diagnostics.Metrics;
using System.Text;
using LoyaltyService.Http;
using Microsoft.Extensions.Diagnostics.Metrics;
using Microsoft.Net.Http.Headers;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;

namespace LoyaltyService.Observability;

/// <summary>
/// <c>GET /metrics</c> for Prometheus, by OpenTelemetry's exporter. The names are given, so the exporter is told to change none; it is
/// a preview package, and a test holds what it writes to a list.
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
        // Local: of the meters with this name only the one of this host, also where two hosts share a process.
        builder.Services.AddMetrics(static metrics =>
            metrics.EnableMetrics(MeterName, instrumentName: null, listenerName: null, MeterScope.Local));
        builder.Services.AddOpenTelemetry().WithMetrics(static metrics => metrics.AddPrometheusExporter(static prometheus =>
        {
            prometheus.TranslationStrategy = PrometheusAspNetCoreTranslationStrategy.UnderscoreEscapingWithoutSuffixes;
            prometheus.ScopeInfoEnabled = false;
            prometheus.TargetInfoEnabled = false;
            // Nothing here is worth a cache: a scrape reads memory.
            prometheus.ScrapeResponseCacheDurationMilliseconds = 0;
        }));
    }

    /// <summary>Open to everybody, like the probes: it says nothing of any customer, and a scraper has no key.</summary>
    public static void MapMetrics(this WebApplication app) => app
        .MapPrometheusScrapingEndpoint(Path, meterProvider: null, static branch => branch.Use(ScrapeAsync), optionsName: null)
        .AllowAnonymous()
        .AlwaysAnswers()
        .ExcludeFromDescription();

    private static async Task ScrapeAsync(HttpContext context, RequestDelegate next)
    {
        // Created by the first scrape: gauges read what must not be opened before the database's schema is up to date.
        var features = context.RequestServices.GetServices<IFeatureMetrics>().ToList();
        // The exporter's other format, OpenMetrics, wants suffixes and _created series, and the brief's names have none.
        context.Request.Headers.Accept = "text/plain; version=0.0.4";
        // What is added below is text: behind what the exporter compresses, as Prometheus asks it to, it would make the answer unreadable.
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
