using LoyaltyService.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Observability;

/// <summary>What the service says of itself.</summary>
internal static class ObservabilityModule
{
    public static void AddObservability(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Logging.ClearProviders();
        builder.Logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        builder.Logging.SetMinimumLevel(settings.LogLevel);
        // A line for each request of the framework would say again what each operation's own line says.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.AddLoyaltyMetrics();
    }
}
