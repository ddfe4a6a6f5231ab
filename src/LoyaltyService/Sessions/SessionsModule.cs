using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Sessions;

/// <summary>Sessions, their stores, and the lists of them.</summary>
internal static class SessionsModule
{
    public static void AddSessions(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddErrors(SessionErrors.All);
        builder.Services.AddFeatureMetrics<SessionMetrics>();
        builder.Services.Configure<ApiDescription>(SessionsReference.Describe);
        builder.Services.AddSingleton<ListSessions>();
        builder.Services.TryAddSingleton(new SessionLimits { Lifetime = settings.SessionTtl });
        if (settings.Database is PostgresUrl)
        {
            builder.Services.AddSingleton<PostgresSessionCommits>();
            builder.Services.AddSingleton<ISessionStore, PostgresSessionStore>();
            builder.Services.AddSingleton<ISessionSearch, PostgresSessionSearch>();
        }
        else
        {
            builder.Services.AddSingleton<ISessionStore, SqliteSessionStore>();
            builder.Services.AddSingleton<ISessionSearch, SqliteSessionSearch>();
        }
    }
}
