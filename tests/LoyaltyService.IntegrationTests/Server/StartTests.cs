using System.Net;
using System.Net.Sockets;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>The process as an operator starts it, where it cannot start.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_process_tells_all_that_is_wrong_and_ends_with_78_before_it_listens()
    {
        await using var database = await TestDatabase.CreateAsync(Backend.Sqlite, migrate: false);
        // Its port is taken: had it tried to listen first, it would have failed by that.
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
    public async Task A_port_that_is_taken_and_a_database_that_is_not_there_end_it_with_69_and_a_last_line_in_the_log()
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
