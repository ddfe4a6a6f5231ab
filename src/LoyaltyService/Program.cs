using LoyaltyService.Configuration;
using LoyaltyService.Health;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Jobs;
using LoyaltyService.Logging;
using LoyaltyService.Loyalty;
using LoyaltyService.Notifications;
using LoyaltyService.Observability;
using LoyaltyService.OpenApi;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.RateLimits;
using LoyaltyService.Security;
using LoyaltyService.Server;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;

namespace LoyaltyService;

/// <summary>The table of contents: one line a module, in the order of the brief's dependency diagram.</summary>
public static class Program
{
    public static Task<int> Main(string[] args) => CommandLine.RunAsync(args);

    /// <summary>Builds the service; <paramref name="customize"/> is for a host with its own clock, limits or variables.</summary>
    /// <exception cref="ConfigurationException">The environment's variables cannot be used.</exception>
    internal static WebApplication Build(string[] args, Action<WebApplicationBuilder>? customize = null)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        customize?.Invoke(builder);

        var settings = builder.AddEnvironmentConfiguration();
        builder.AddHttp();
        builder.AddObservability(settings);
        builder.AddStorage(settings);
        builder.AddServer(settings);
        builder.AddSecurity(settings);
        builder.AddLogLevel();
        builder.AddRateLimits(settings);
        builder.AddPdi(settings);
        builder.AddSessions(settings);
        builder.AddIdempotency(settings);
        builder.AddQueue(settings);
        builder.AddLoyalty();
        builder.AddJobs(settings);
        builder.AddNotifications(settings);
        builder.AddApiReference();
        builder.AddHealth();

        var app = builder.Build();

        app.UseRequestMetrics();
        app.UseRequestId();
        app.UseSecurityHeaders();
        app.UseExceptionHandler(static _ => { });
        app.UseStatusCodeProblems();
        app.UseServerLimits();
        app.UseOpsAccessAudit();
        app.UseAuthentication();
        app.UseRateLimits();
        app.UseAuthorization();

        app.MapLoyalty();
        app.MapQueue();
        app.MapSessions();
        app.MapJobs();
        app.MapReconciliation();
        app.MapMaintenance();
        app.MapLogLevel();
        app.MapAudit();
        app.MapHealth();
        app.MapMetrics();
        app.MapApiReference();

        app.PrepareStorage();
        return app;
    }
}
