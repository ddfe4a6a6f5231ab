using LoyaltyService.Http;

namespace LoyaltyService.Health;

/// <summary>
/// The three probes (docs/decisions/0009-health-live-as-liveness-probe.md). Each responds at once, from the last sample.
/// </summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").AllowAnonymous().WithTags("Health").AlwaysAnswers();

        health.MapGet("", (HealthReporter reporter) => TypedResults.Json(reporter.OfProcess(), HealthJson.Wire.HealthReport))
            .Produces<HealthReport>()
            .WithName("health")
            .WithSummary("Ask whether the process works")
            .WithDescription("Says nothing of what the service depends on.");
        health.MapGet("/ready", (HealthReporter reporter) => TypedResults.Json(
                reporter.OfDependencies(),
                HealthJson.Wire.DependencyReport,
                statusCode: reporter.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable))
            .Produces<DependencyReport>()
            .Produces<DependencyReport>(StatusCodes.Status503ServiceUnavailable)
            .WithName("healthReady")
            .WithSummary("Ask whether to send requests here")
            .WithDescription("503 if the database cannot be used or the process is about to stop. Without Redis or PDI the service works on, and is `degraded`.");
        health.MapGet("/live", (HealthReporter reporter) => TypedResults.Json(reporter.OfDependencies(), HealthJson.Wire.DependencyReport))
            .Produces<DependencyReport>()
            .WithName("healthLive")
            .WithSummary("Ask how the service and its dependencies are")
            .WithDescription("200 as long as the process works, whatever its dependencies do: a restart would not bring them back. Read `status` and `checks`.");
    }
}
