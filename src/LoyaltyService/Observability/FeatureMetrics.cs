using System.Diagnostics.Metrics;

namespace LoyaltyService.Observability;

/// <summary>
/// What one feature counts and times: a class a feature, a method an event. Names are the brief's; ours begin with <c>loyalty_</c>. No
/// label holds a customer, a session or anything else that a caller chooses.
/// </summary>
internal interface IFeatureMetrics
{
    /// <summary>
    /// Adds 0 to every series that is known in advance, at each scrape: a rate over an absent series is not zero but nothing, and a
    /// touch from before the exporter listened would be lost.
    /// </summary>
    void ShowAtZero()
    {
    }

    /// <summary>Those that must be shown before their first value.</summary>
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

    /// <summary>A counter without labels, or with labels of its feature.</summary>
    public static Counter<long> Counter(this Meter meter, string name, string description) => meter.CreateCounter<long>(name, null, description);
}
