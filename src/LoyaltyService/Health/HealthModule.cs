using LoyaltyService.Http;
using LoyaltyService.Observability;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Health;

/// <summary>Probes, gauges and their sampler.</summary>
internal static class HealthModule
{
    public static void AddHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddFeatureMetrics<HealthGauges>();
        builder.Services.Configure<ApiDescription>(HealthReference.Describe);
        builder.Services.TryAddSingleton<HealthLimits>();
        builder.Services.AddSingleton<DatabaseProbe>();
        builder.Services.AddSingleton<RedisProbe>();
        builder.Services.AddSingleton<HealthSampler>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<HealthSampler>());
        builder.Services.AddSingleton<HealthReporter>();
    }
}
