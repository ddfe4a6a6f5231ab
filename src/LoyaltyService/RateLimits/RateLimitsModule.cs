using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Storage;
using StackExchange.Redis;

namespace LoyaltyService.RateLimits;

/// <summary>How much anybody may ask for.</summary>
internal static class RateLimitsModule
{
    public static void AddRateLimits(this WebApplicationBuilder builder, Settings settings)
    {
        var options = new RateLimitOptions(settings);
        builder.Services.AddSingleton(options);
        builder.Services.AddFeatureMetrics<RateLimitMetrics>();
        if (options.IsOff)
            return;
        // A replica on SQLite is the only one, and shares with nobody.
        if (settings is { Redis: RedisServerUrl, Database: PostgresUrl database })
        {
            // In braces: the buckets of a request must be in one place, also in a cluster.
            var prefix = $"loyalty:{{{RedisKeys.NameOf(database)}}}:rate:";
            builder.Services.AddSingleton(services => new RedisBuckets(
                services.GetRequiredService<IConnectionMultiplexer>(), services.GetRequiredService<RedisBreaker>(), prefix,
                services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<RedisBuckets>>()));
            builder.Services.AddSingleton(services => new Replicas(services.GetRequiredService<IConnectionMultiplexer>(), prefix));
        }
        else
        {
            builder.Services.AddSingleton(new Replicas(redis: null, prefix: ""));
        }

        builder.Services.AddSingleton(services => new RateLimiter(
            services.GetService<RedisBuckets>(), services.GetRequiredService<Replicas>(), services.GetRequiredService<RateLimitMetrics>(),
            services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService<RateLimitUpkeep>();
    }

    /// <summary>After the caller is known, and before anything is done for it.</summary>
    public static void UseRateLimits(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<RateLimitOptions>().IsOff)
            app.UseMiddleware<RateLimitMiddleware>();
    }
}
