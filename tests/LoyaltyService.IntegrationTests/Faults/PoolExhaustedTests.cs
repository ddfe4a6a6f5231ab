using System.Diagnostics;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>All connections are stuck in a slow database: who waits in line is told in time to come again.</summary>
[Collection(nameof(RunsAlone))]
public sealed class PoolExhaustedTests
{
    /// <summary>Besides those of the batches, which nobody waits for longer than for these.</summary>
    private const int Connections = 3;
    private const int Callers = 30;

    [Fact]
    public async Task Who_gets_no_connection_is_told_so_within_2_s_and_all_is_well_within_5_s_of_the_end()
    {
        await using var app = await LoyaltyApp.StartAsync(
            Backend.Postgres, services: services => services.AddSingleton(new PostgresLimits { MinConnections = Connections + PostgresPools.Batches, MaxConnections = Connections + PostgresPools.Batches }));
        await new Sale(app).IdentifiedAsync();
        await using var slow = await app.Database.OpenPostgresAsync();
        await ExecuteAsync("begin");
        // Every statement of the service waits here, as on a disk that does not answer.
        await ExecuteAsync("lock table sessions in access exclusive mode");

        var calls = Enumerable.Range(0, Callers).Select(async _ =>
        {
            var started = Stopwatch.GetTimestamp();
            return (Answer: await new Sale(app).IdentifyAsync(), Took: Stopwatch.GetElapsedTime(started));
        }).ToList();
        var refused = new List<(Answer Answer, TimeSpan Took)>();
        while (refused.Count < Callers - Connections)
        {
            var call = await Task.WhenAny(calls);
            calls.Remove(call);
            refused.Add(await call);
        }

        await ExecuteAsync("rollback");
        var over = Stopwatch.StartNew();
        await Eventually.BecomesTrueAsync(async () => (await new Sale(app).IdentifyAsync()).Status is 200, "a till is served", TimeSpan.FromSeconds(5));
        var waited = await Task.WhenAll(calls);

        TestContext.Current.TestOutputHelper!.WriteLine($"Refused after at most {refused.Max(call => call.Took).TotalSeconds:F2} s, served again after {over.Elapsed.TotalSeconds:F2} s.");
        Assert.All(refused, call => Assert.Equal((503, "overloaded", true), (call.Answer.Status, call.Answer.Code, call.Answer.Headers.ContainsKey("Retry-After"))));
        Assert.InRange(refused.Max(call => call.Took), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.All(waited, call => Assert.Equal(200, call.Answer.Status));

        async Task ExecuteAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, slow);
            await command.ExecuteNonQueryAsync();
        }
    }
}
