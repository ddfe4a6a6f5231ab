
namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The variables of a service under test, in this process or in one of its own.</summary>
internal static class ServiceEnvironment
{
    /// <param name="differing">Variables that differ from the test's defaults.</param>
    public static Dictionary<string, string?> Of(TestDatabase database, Uri pdi, int port, Dictionary<string, string?>? differing)
    {
        var environment = new Dictionary<string, string?>
        {
            ["NODE_ENV"] = "test",
            ["PORT"] = port.ToString(),
            ["DATABASE_URL"] = database.Url,
            ["REDIS_URL"] = database.Url.StartsWith("postgresql", StringComparison.Ordinal) ? TestServers.RedisUrl : "memory:",
            ["PDI_API_URL"] = pdi.AbsoluteUri,
            ["PDI_CLIENT_ID"] = "loyalty",
            ["PDI_CLIENT_SECRET"] = "simulator-secret",
            ["LOG_LEVEL"] = "error",
            // All tests together are one address.
            ["RATE_LIMIT_GLOBAL_PER_SECOND"] = "0",
            ["RATE_LIMIT_CUSTOMER_PER_SECOND"] = "0",
            ["RATE_LIMIT_IP_PER_MINUTE"] = "0",
        };
        foreach (var (name, value) in differing ?? [])
            environment[name] = value;
        return environment;
    }
}
