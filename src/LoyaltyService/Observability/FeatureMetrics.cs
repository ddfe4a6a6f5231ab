using System.Diagnostics.Metrics;

namespace LoyaltyService.Observability;

/// <summary>
/// The metrics of one feature: one class per feature, one method per event. Names without the prefix <c>loyalty_</c> are given. No label contains a
/// customer, a session or any other value that callers choose.
/// </summary>
internal interface IFeatureMetrics
{
    /// <summary>
    /// Adds 0 to every known series, at each scrape: the rate of an absent series is absent, not zero. An earlier touch, before the exporter
    /// listens, would be lost.
    /// </summary>
    void ShowAtZero()
    {
    }

    /// <summary>The histograms that must be visible before their first value.</summary>
    IReadOnlyList<DurationHistogram> Histograms => [];
}

internal static class FeatureMetricsExtensions
{
    public static void AddFeatureMetrics<T>(this IServiceCollection services)
        where T : class, IFeatureMetrics
    {
        services.AddSingleton<T>();
        services.AddSingleton<IFeatureMetrics>(static provider => provider.GetRequiredService<T>());
    }

    /// <summary>A counter, without labels or with its feature's labels.</summary>
    public static Counter<long> Counter(this Meter meter, string name, string description) => meter.CreateCounter<long>(name, null, description);
}
