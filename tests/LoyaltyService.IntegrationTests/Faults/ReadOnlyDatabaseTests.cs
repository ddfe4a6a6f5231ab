using LoyaltyService.Health;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Jobs;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A PostgreSQL that can be read and not written: a standby after a failover that went wrong, or a disk that an operator saves.</summary>
public sealed class ReadOnlyDatabaseTests
{
    [Fact]
    public async Task A_read_only_database_is_an_unavailable_one_and_the_service_waits_for_its_return()
    {
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres, database: database, services: static services =>
        {
            services.AddSingleton(new HealthLimits { SampleEvery = TimeSpan.FromMilliseconds(200) });
            // The breaker stays out of it.
            services.AddSingleton(new PdiOptions { MaxRetries = 1, FirstBackoff = TimeSpan.FromMilliseconds(1), BreakerFailureThreshold = int.MaxValue });
            services.AddSingleton(new PdiWorkLimits { Poll = TimeSpan.FromMilliseconds(50) });
            services.AddSingleton(new JobLimits { Poll = TimeSpan.FromMilliseconds(50) });
        });
        await app.Pdi.OutageAsync();
        var waiting = await new Sale(app).IdentifiedAsync();
        await SetReadOnlyAsync(database, true);

        await BecomesAsync(app, 503, "down");
        var identify = await new Sale(app).IdentifyAsync();
        var finalize = await waiting.FinalizeAsync();
        var status = await waiting.StatusAsync();
        // Every loop comes round with what waits, and finds that it cannot be written.
        await app.Pdi.HealAsync();
        foreach (var loop in app.Services.GetServices<IHostedService>().OfType<BackgroundService>())
            Assert.False(loop.ExecuteTask is { IsFaulted: true }, $"{loop.GetType().Name} has ended: {loop.ExecuteTask?.Exception}");
        await SetReadOnlyAsync(database, false);
        await BecomesAsync(app, 200, "up");

        Assert.Equal((503, "database_unavailable", true), (identify.Status, identify.Code, identify.Headers.ContainsKey("Retry-After")));
        Assert.Equal((503, "database_unavailable"), (finalize.Status, finalize.Code));
        Assert.Equal(200, status.Status);
        Assert.False(app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
        // The first on each connection that was ended finds that out.
        await Eventually.GetAsync(new Sale(app).IdentifyAsync, answer => answer.Status == 200, "a sale is identified");
        await Eventually.GetAsync(waiting.StatusAsync, answer => answer.Json.GetProperty("status").GetString() == "active", "what waited is identified", TimeSpan.FromSeconds(60));
    }

    // A look that comes late, on a machine that has no time, is a 503 too, and says nothing of the database.
    private static Task<Answer> BecomesAsync(LoyaltyApp app, int status, string database) => Eventually.GetAsync(
        () => app.GetAsync("/health/ready"),
        answer => answer.Status == status && answer.Json.GetProperty("checks").GetProperty("database").GetProperty("status").GetString() == database,
        $"/health/ready is {status} and the database {database}");

    private static async Task SetReadOnlyAsync(TestDatabase database, bool isReadOnly)
    {
        await using var connection = await database.OpenPostgresAsync();
        await using var set = new NpgsqlCommand(
            $"""
            alter database "{connection.Database}" set default_transaction_read_only = {(isReadOnly ? "on" : "off")};
            """,
            connection);
        // Of a database that is read-only by its own default, whoever says so may still write.
        await using var allow = new NpgsqlCommand("set session characteristics as transaction read write", connection);
        await allow.ExecuteNonQueryAsync();
        await set.ExecuteNonQueryAsync();
        await using var end = new NpgsqlCommand(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()", connection);
        await end.ExecuteScalarAsync();
    }
}
