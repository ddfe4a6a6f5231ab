using LoyaltyService.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Observability;

/// <summary>What the service says of itself.</summary>
internal static class ObservabilityModule
{
    public static void AddObservability(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddLog(settings);
        builder.AddLoyaltyMetrics();
        builder.AddTracing(settings);
    }

    private static void AddLog(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddSingleton(new LogLevelSwitch(settings.LogLevel));
        builder.Services.TryAddSingleton(static _ => new LogOutput(Console.OpenStandardOutput()));
        builder.Services.AddSingleton<LogQueue>();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ILoggerProvider, JsonLogProvider>();
        // All that may ever be asked for; what is asked for now, the switch says.
        builder.Logging.SetMinimumLevel(LogLevel.Debug);
        // A line for each request of the framework would say again what each operation's own line says.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("System", LogLevel.Warning);
    }
}
