using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Jobs;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>A service with sales, replays, refusals, an outage and a job run, scraped by a real Prometheus.</summary>
public sealed class ScrapedService : IAsyncLifetime
{
    private LoyaltyApp? app;

    private Prometheus? prometheus;

    internal Prometheus Prometheus => prometheus!;

    public async ValueTask InitializeAsync()
    {
        var app = this.app = await LoyaltyApp.StartAsync(Backend.Postgres, services: services =>
        {
            services.AddSingleton(new PdiOptions { BreakerOpenTime = TimeSpan.FromSeconds(3) });
            services.AddSingleton(new PdiWorkLimits { FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromMilliseconds(300) });
        });
        prometheus = await Prometheus.StartAsync(app.Address);
        // Rates miss everything before the first scrape.
        await Prometheus.HasDataAsync("sessions_created_count");

        var sale = await SellAsync(app);
        await sale.FinalizeAsync();
        await new Sale(app) { CustomerId = "CUST-NOBODY" }.IdentifyAsync();
        var waiting = await SellWithoutPdiAsync(app);
        await Prometheus.HasDataAsync("pdi_circuit_breaker_state == 2");
        await app.Pdi.HealAsync();
        await Eventually.GetAsync(
            waiting.StatusAsync, status => status.Json.GetProperty("status").GetString() == "finalized", "the sale that waited is finalized");
        await app.RunJobAsync("expire-sessions");
        await app.GetAsync("/ops/queue");
        // Repeat, because the first time created the series and a rate needs two scrapes of it.
        await Prometheus.HasDataAsync("""http_requests_total{endpoint="/ops/queue"}""");
        await (await SellAsync(app)).FinalizeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // Also after a partly failed start.
        if (prometheus is not null)
            await prometheus.DisposeAsync();
        if (app is not null)
            await app.DisposeAsync();
    }

    private static async Task<Sale> SellAsync(LoyaltyApp app)
    {
        var sale = await new Sale(app) { CustomerId = "CUST-GOLD" }.IdentifiedAsync();
        await sale.CalculateAsync();
        Assert.Equal(200, (await sale.FinalizeAsync()).Status);
        return sale;
    }

    /// <summary>Two sales, the second with a redemption: five failures in a row, and a 503.</summary>
    private static async Task<Sale> SellWithoutPdiAsync(LoyaltyApp app)
    {
        var redeeming = await new Sale(app) { CustomerId = "CUST-GOLD" }.IdentifiedAsync();
        await app.Pdi.OutageAsync();
        var waiting = await new Sale(app) { CustomerId = "CUST-GOLD" }.IdentifiedAsync();
        await waiting.CalculateAsync();
        await waiting.FinalizeAsync();
        Assert.Equal(503, (await redeeming.CalculateAsync(redeemPoints: 100)).Status);
        return waiting;
    }
}
