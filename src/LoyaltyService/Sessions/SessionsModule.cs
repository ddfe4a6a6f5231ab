using LoyaltyService.Configuration;

namespace LoyaltyService.Sessions;

/// <summary>Sessions and the answers that are remembered for them.</summary>
internal static class SessionsModule
{
    public static void AddSessions(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddSingleton(new SessionLimits { Lifetime = settings.SessionTtl });
        if (settings.Database is PostgresUrl)
            builder.Services.AddSingleton<ISessionStore, PostgresSessionStore>();
        else
            builder.Services.AddSingleton<ISessionStore, SqliteSessionStore>();

        if (settings.Redis is RedisServerUrl)
            builder.Services.AddSingleton<IReplayCache, RedisReplayCache>();
        else
            builder.Services.AddSingleton<IReplayCache, MemoryReplayCache>();
    }
}
