using System.Collections;
using System.Runtime.CompilerServices;
using LoyaltyService.Configuration;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// A service under test has the variables that its test gives it and no others: who runs the tests may have exported those of a release, for
/// the checklist, and with them its keys, its collector and its mail server. Taken out of this process before its first test, they reach neither
/// a service in it nor a process that a test starts.
/// </summary>
internal static class CleanEnvironment
{
    /// <summary>What the checklist and the smoke test read.</summary>
    private static readonly string[] OfTheChecklist = ["LOYALTY_SERVICE", "CHANGELOG", "PROMETHEUS_URL", "SMOKE_API_KEY", "SMOKE_CUSTOMER_ID"];

    /// <summary>What the service reads, by itself or by ASP.NET Core and OpenTelemetry, and what the checklist reads.</summary>
    public static IEnumerable<string> Names =>
    [
        .. ConfigurationModule.Environment(static _ => null).Keys, .. OfTheChecklist, "DOTNET_ENVIRONMENT", "ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS",
        .. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => (string)variable.Key).Where(name => name.StartsWith("OTEL_", StringComparison.Ordinal)),
    ];

    [ModuleInitializer]
    public static void Clean()
    {
        foreach (var name in Names)
            Environment.SetEnvironmentVariable(name, null);
    }
}
