using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;

namespace LoyaltyService.Idempotency;

/// <summary>Idempotency keys, the replay cache, and the wait for a first call.</summary>
internal static class IdempotencyModule
{
    public static void AddIdempotency(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddErrors(IdempotencyErrors.All);
        builder.Services.AddFeatureMetrics<ReplayMetrics>();
        builder.Services.Configure<ApiDescription>(static api =>
            api.ExampleProblem(IdempotencyRejections.KeyReused("The transaction TXN-67890 of channel POS-001")));
        builder.Services.TryAddSingleton<RepeatLimits>();
        builder.Services.AddSingleton<IdempotentRequests>();
        if (settings.Database is PostgresUrl)
            builder.Services.AddSingleton<IIdempotencyKeyStore, PostgresIdempotencyKeyStore>();
        else
            builder.Services.AddSingleton<IIdempotencyKeyStore, SqliteIdempotencyKeyStore>();

        // On SQLite there is only one replica, so the cache need not be shared.
        if (settings is { Redis: RedisServerUrl, Database: PostgresUrl database })
        {
            builder.Services.AddSingleton<IReplayCache>(services => new RedisReplayCache(
                services.GetRequiredService<IConnectionMultiplexer>(), services.GetRequiredService<RedisBreaker>(), database,
                services.GetRequiredService<ILogger<RedisReplayCache>>()));
        }
        else
        {
            builder.Services.AddSingleton<IReplayCache, MemoryReplayCache>();
        }
    }
}
