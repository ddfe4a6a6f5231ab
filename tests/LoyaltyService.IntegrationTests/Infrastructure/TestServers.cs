
namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The real servers that the tests run on. A missing one fails the run: a skipped test proves nothing.</summary>
internal static class TestServers
{
    public static string PostgresUrl => Required("TEST_POSTGRES_URL");

    public static string RedisUrl => Required("TEST_REDIS_URL");

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{variable} is not set. Run ./test.sh, which starts the servers, or start your own and set it.");
}
