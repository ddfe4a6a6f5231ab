using System.Net;
using System.Net.Sockets;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>Failed starts, as an operator sees them.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task It_reports_all_configuration_errors_and_exits_with_78()
    {
        await using var database = await TestDatabase.CreateAsync(Backend.Sqlite, migrate: false);
        // Its port is taken, so listening first would fail differently.
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var service = ServiceProcess.LaunchService(database, new Uri("http://127.0.0.1:1"), new()
        {
            ["PORT"] = $"{((IPEndPoint)taken.LocalEndpoint).Port}",
            ["LOG_LEVEL"] = "loud",
            ["SESSION_TTL_HOURS"] = "soon",
            ["PDI_CLIENT_ID"] = "",
            ["API_KEYS"] = "till:loyalty:not-a-hash-4711",
        });

        await service.WaitForExitAsync();

        Assert.Equal(78, service.ExitCode);
        Assert.Equal(
            ["API_KEYS", "LOG_LEVEL", "PDI_CLIENT_ID", "SESSION_TTL_HOURS"],
            service.Log.Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Split(':')[0].Trim()).Order());
        Assert.Contains("The configuration is not usable; 4 errors:", service.Log);
        Assert.DoesNotContain(service.Log, line => line.Contains("4711", StringComparison.Ordinal) || line.Contains("simulator-secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_taken_port_or_missing_database_exits_with_69_and_a_log_line()
    {
        await using var database = await TestDatabase.CreateAsync(Backend.Sqlite);
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        await using var withoutPort = ServiceProcess.LaunchService(database, new Uri("http://127.0.0.1:1"), new()
        {
            ["PORT"] = $"{((IPEndPoint)taken.LocalEndpoint).Port}",
        });
        await using var withoutDatabase = ServiceProcess.LaunchService(database, new Uri("http://127.0.0.1:1"), new()
        {
            ["DATABASE_URL"] = "postgresql://loyalty@127.0.0.1:1/loyalty",
        });

        await withoutPort.WaitForExitAsync();
        await withoutDatabase.WaitForExitAsync();

        Assert.Equal((69, 69), (withoutPort.ExitCode, withoutDatabase.ExitCode));
        Assert.All([withoutPort, withoutDatabase], process => Assert.Contains(
            process.Log, line => line.Contains("\"level\":\"FATAL\"", StringComparison.Ordinal) && line.Contains("\"event\":\"StartFailed\"", StringComparison.Ordinal)));
    }
}
