using LoyaltyService.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Observability;

/// <summary>Logs, metrics and traces.</summary>
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
        // The lowest level ever; the switch decides what is logged now.
        builder.Logging.SetMinimumLevel(LogLevel.Debug);
        // The framework's line per request would repeat each operation's own line.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("System", LogLevel.Warning);
    }
}
