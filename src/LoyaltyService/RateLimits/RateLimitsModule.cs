using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Storage;

namespace LoyaltyService.RateLimits;

/// <summary>Limits how many requests a caller may send.</summary>
internal static class RateLimitsModule
{
    public static void AddRateLimits(this WebApplicationBuilder builder, Settings settings)
    {
        var options = new RateLimitOptions(settings);
        builder.Services.AddSingleton(options);
        builder.Services.AddFeatureMetrics<RateLimitMetrics>();
        if (options.IsOff)
            return;
        // A service on SQLite is the only one, and shares with no other.
        if (settings is { Redis: RedisServerUrl, Database: PostgresUrl database })
        {
            // In braces: a cluster keeps all buckets of a request on one node.
            var prefix = $"loyalty:{{{RedisKeys.NameOf(database)}}}:rate:";
            builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<RedisBuckets>(services, prefix));
            builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<Replicas>(services, prefix));
            builder.Services.AddHostedService(static services => services.GetRequiredService<Replicas>());
        }

        builder.Services.AddSingleton(static services => new LocalBuckets(services.GetService<Replicas>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(static services => new RateLimiter(
            services.GetService<RedisBuckets>(), services.GetRequiredService<LocalBuckets>(), services.GetRequiredService<RateLimitMetrics>()));
    }

    /// <summary>Runs after authentication, before any work is done for the caller.</summary>
    public static void UseRateLimits(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<RateLimitOptions>().IsOff)
            app.UseMiddleware<RateLimitMiddleware>();
    }
}
