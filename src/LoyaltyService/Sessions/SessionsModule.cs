using LoyaltyService.Configuration;
using LoyaltyService.Idempotency;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;

namespace LoyaltyService.Sessions;

/// <summary>Sessions and the answers that are remembered for them.</summary>
internal static class SessionsModule
{
    public static void AddSessions(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddSingleton<ListSessions>();
        builder.Services.TryAddSingleton(new SessionLimits { Lifetime = settings.SessionTtl });
        if (settings.Database is PostgresUrl)
        {
            builder.Services.AddSingleton<PostgresSessionCommits>();
            builder.Services.AddSingleton<ISessionStore, PostgresSessionStore>();
            builder.Services.AddSingleton<IIdempotencyKeyStore, PostgresIdempotencyKeyStore>();
            builder.Services.AddSingleton<ISessionSearch, PostgresSessionSearch>();
        }
        else
        {
            builder.Services.AddSingleton<ISessionStore, SqliteSessionStore>();
            builder.Services.AddSingleton<IIdempotencyKeyStore, SqliteIdempotencyKeyStore>();
            builder.Services.AddSingleton<ISessionSearch, SqliteSessionSearch>();
        }

        // A replica on SQLite is the only one, and needs no cache that others can see.
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
