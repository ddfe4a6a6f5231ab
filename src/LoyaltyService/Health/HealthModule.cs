using LoyaltyService.Loyalty;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Health;

/// <summary>Probes.</summary>
internal static class HealthModule
{
    public static void AddHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ServiceClock>();
        builder.Services.TryAddSingleton<HealthLimits>();
        builder.Services.AddSingleton<DatabaseProbe>();
        builder.Services.AddSingleton<RedisProbe>();
        builder.Services.AddSingleton<HealthSampler>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<HealthSampler>());
    }

    public static void MapHealth(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/health", (ServiceClock clock) => TypedResults.Json(clock.Report(), LoyaltyJson.Wire.HealthReport))
            .Produces<HealthReport>()
            .WithTags("Health").WithName("health")
            .WithSummary("Ask whether the process works")
            .WithDescription("Says nothing of what the service depends on.");
}

/// <param name="Status"><c>healthy</c>: the process works.</param>
/// <param name="Timestamp">The service's time.</param>
/// <param name="Uptime">Seconds since the process started to serve.</param>
internal sealed record HealthReport(string Status, DateTimeOffset Timestamp, long Uptime);

/// <summary>Knows since when the service runs.</summary>
internal sealed class ServiceClock(TimeProvider clock)
{
    private readonly long started = clock.GetTimestamp();

    public HealthReport Report() => new("healthy", clock.GetUtcNow(), (long)clock.GetElapsedTime(started).TotalSeconds);
}
