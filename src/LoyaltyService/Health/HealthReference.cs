using LoyaltyService.Http;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Health;

internal static class HealthReference
{
    public static void Describe(ApiDescription api)
    {
        api.Tags["Health"] = "Probes. They need no key.";
        api.Words<DependencyReport>("status", [HealthReporter.Healthy, HealthReporter.Degraded, HealthReporter.Unhealthy]);
        api.Words<CheckReport>("status", Enum.GetValues<CheckStatus>().Select(HealthReporter.ToText));
        api.Words<PdiCheckReport>("status", Enum.GetValues<CheckStatus>().Select(HealthReporter.ToText));
        api.Words<PdiCheckReport>("circuitBreaker", Enum.GetValues<BreakerState>().Select(HealthReporter.ToText));

        var at = new DateTimeOffset(2025, 3, 16, 14, 30, 45, 123, TimeSpan.Zero);
        api.ExampleAnswer(200, new HealthReport(HealthReporter.Healthy, at, 3600, "1.0.0", "9fceb02d0ae598e95dc970b74767f19372d61af8"), HealthJson.Wire.HealthReport);
        api.ExampleAnswer(
            200,
            new DependencyReport(HealthReporter.Degraded, at, 3600, new DependencyChecks(
                new CheckReport("up", 5), new CheckReport("up", 2), new PdiCheckReport("degraded", "HALF_OPEN", 4500))),
            HealthJson.Wire.DependencyReport);
        api.ExampleAnswer(
            503,
            new DependencyReport(HealthReporter.Unhealthy, at, 3600, new DependencyChecks(
                new CheckReport("down", 1000), new CheckReport("up", 2), new PdiCheckReport("up", "CLOSED", 120))),
            HealthJson.Wire.DependencyReport);
    }
}
