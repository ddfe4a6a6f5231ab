using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>PDI is slow, wrong or gone. The till goes on, and every sale counts once.</summary>
public abstract class PdiFaultTests(Backend backend) : IAsyncLifetime
{
    // The budgets are production's: a busy machine keeps them, and no test waits for their end.
    private static readonly PdiOptions Patient = new() { BreakerOpenTime = TimeSpan.FromSeconds(1) };

    // For a PDI that never answers finalize in full, whether it was asked in time or not.
    private static readonly PdiOptions Impatient = new() { FinalizeBudget = TimeSpan.FromSeconds(1), BreakerOpenTime = TimeSpan.FromSeconds(1) };

    private static readonly PdiWorkLimits Eager = new()
    {
        MaxItems = 20,
        Poll = TimeSpan.FromMilliseconds(100),
        FirstPause = TimeSpan.FromMilliseconds(100),
        LongestPause = TimeSpan.FromMilliseconds(300),
    };

    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await StartAsync(Patient);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("hang")]
    [InlineData("commit-then-hang")]
    [InlineData("commit-then-reset")]
    [InlineData("reset")]
    [InlineData("cut")]
    [InlineData("not-json")]
    [InlineData("missing-member")]
    public async Task A_finalize_that_PDI_answers_badly_once_takes_effect_once(string kind)
    {
        await RestartAsync(Impatient);
        var sale = await (new Sale(app) { CustomerId = "CUST-GOLD" }).IdentifiedAsync();
        var before = await app.Pdi.BalanceAsync("CUST-GOLD");
        await app.Pdi.FaultAsync("finalize", new { kind, count = 1 });

        var answer = await sale.FinalizeAsync();
        await app.Pdi.HealAsync();
        var settled = await SettledAsync(sale);

        Assert.True(answer.Status is 200 or 202, answer.Text);
        Assert.Equal(450, settled.Json.GetProperty("earnedPoints").GetInt64());
        Assert.Equal(before + 450, await app.Pdi.BalanceAsync("CUST-GOLD"));
        Assert.Equal(0, (await app.Pdi.SummaryAsync()).GetProperty("doubleFinalized").GetInt64());
        Assert.Equal(1, await app.Pdi.KeysAsync("finalize"));
        Assert.Equal((200, settled.Json.GetProperty("receiptId").GetString()), await RepeatAsync(sale));
    }

    [Theory]
    [InlineData("commit-then-status")]
    [InlineData("status")]
    public async Task A_finalize_that_PDI_answers_with_500_is_settled_by_a_retry_inside_its_budget(string kind)
    {
        var sale = await (new Sale(app) { CustomerId = "CUST-GOLD" }).IdentifiedAsync();
        var before = await app.Pdi.BalanceAsync("CUST-GOLD");
        await app.Pdi.FaultAsync("finalize", new { kind, status = 500, count = 1 });

        var answer = await sale.FinalizeAsync();

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(before + 450, await app.Pdi.BalanceAsync("CUST-GOLD"));
    }

    [Fact]
    public async Task A_body_that_drips_does_not_outlast_the_budget()
    {
        await RestartAsync(Impatient);
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.FaultAsync("finalize", new { kind = "drip", latencyMs = 500 });
        var started = System.Diagnostics.Stopwatch.StartNew();

        var answer = await sale.FinalizeAsync();

        Assert.Equal(202, answer.Status);
        Assert.Equal("finalizing", answer.Json.GetProperty("status").GetString());
        Assert.True(answer.Headers.ContainsKey("Retry-After"));
        Assert.EndsWith($"/loyalty/sessions/{sale.SessionId}", answer.Headers["Location"]);
        // The whole body would take more than a minute.
        Assert.InRange(started.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(20));
        await app.Pdi.HealAsync();
        await SettledAsync(sale);
    }

    [Fact]
    public async Task Through_an_outage_the_till_goes_on_and_the_points_arrive_once()
    {
        await app.Pdi.OutageAsync();
        var sale = new Sale(app) { CustomerId = "CUST-GOLD" };
        var before = await app.Pdi.BalanceAsync("CUST-GOLD");

        var identified = await sale.IdentifyAsync();
        sale = sale with { SessionId = identified.SessionId };
        var again = await sale.IdentifyAsync();
        var calculated = await sale.CalculateAsync();
        var redeeming = await sale.FinalizeAsync(redeemPoints: 100);
        var finalized = await sale.FinalizeAsync();
        await app.Pdi.HealAsync();
        var settled = await SettledAsync(sale);

        Assert.Equal((202, "pending"), (identified.Status, identified.Json.GetProperty("status").GetString()));
        Assert.Equal((202, sale.SessionId), (again.Status, again.SessionId));
        Assert.Equal((200, "estimate", 300), (calculated.Status, calculated.Json.GetProperty("source").GetString(), calculated.Json.GetProperty("earnedPoints").GetInt32()));
        Assert.Equal((503, "pdi_unavailable"), (redeeming.Status, redeeming.Code));
        Assert.Equal((202, "finalizing"), (finalized.Status, finalized.Json.GetProperty("status").GetString()));
        Assert.Equal(450, settled.Json.GetProperty("earnedPoints").GetInt64());
        Assert.Equal(before + 450, await app.Pdi.BalanceAsync("CUST-GOLD"));
        Assert.Equal(200, (await sale.IdentifyAsync()).Status);
    }

    [Fact]
    public async Task Other_points_than_estimated_are_told_in_the_timeline_and_counted()
    {
        using var differences = new Counted(app, "loyalty_estimate_differences");
        await app.Pdi.OutageAsync();
        // Without the customer's tier the estimate is 300 points; PDI knows that gold earns 450, and that bronze earns 300.
        var gold = await TakeAsync("CUST-GOLD");
        var plain = await TakeAsync("CUST-BRONZE");
        await app.Pdi.HealAsync();
        await SettledAsync(gold);
        await SettledAsync(plain);

        Assert.Equal("estimate_was_300", await LastDetailAsync(gold));
        Assert.Null(await LastDetailAsync(plain));
        Assert.Equal(1, differences.Total);

        async Task<Sale> TakeAsync(string customer)
        {
            var sale = await (new Sale(app) { CustomerId = customer }).IdentifiedAsync();
            Assert.Equal("estimate", (await sale.CalculateAsync()).Json.GetProperty("source").GetString());
            Assert.Equal(202, (await sale.FinalizeAsync()).Status);
            return sale;
        }

        async Task<string?> LastDetailAsync(Sale sale)
        {
            Assert.True(SessionId.TryParse(sale.SessionId, out var id));
            return (await app.Services.GetRequiredService<ISessionStore>().EventsAsync(id, CancellationToken.None))[^1].Detail;
        }
    }

    [Fact]
    public async Task A_full_queue_is_503_and_a_sale_that_waits_already_may_be_finalized()
    {
        await app.Pdi.OutageAsync();
        var waiting = new List<Sale>();
        for (var number = 0; number < Eager.MaxItems; number++)
            waiting.Add(await new Sale(app).IdentifiedAsync());

        var oneMore = await new Sale(app).IdentifyAsync();
        var finalized = await waiting[0].FinalizeAsync();

        Assert.Equal((503, "queue_full"), (oneMore.Status, oneMore.Code));
        Assert.Equal(202, finalized.Status);
        await app.Pdi.HealAsync();
        await SettledAsync(waiting[0]);
        Assert.Equal(200, (await new Sale(app).IdentifyAsync()).Status);
    }

    [Fact]
    public async Task Refused_credentials_are_503_until_an_operator_acts_and_a_finalize_is_taken_all_the_same()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.FaultAsync("all", new { kind = "expired-token" });

        var identify = await new Sale(app).IdentifyAsync();
        var calculate = await sale.CalculateAsync();
        var finalize = await sale.FinalizeAsync();
        await app.Pdi.HealAsync();

        Assert.Equal((503, "pdi_auth_failed", true), (identify.Status, identify.Code, identify.Headers.ContainsKey("Retry-After")));
        Assert.Equal((503, "pdi_auth_failed"), (calculate.Status, calculate.Code));
        Assert.Equal(202, finalize.Status);
        await SettledAsync(sale);
    }

    [Fact]
    public async Task A_refusal_after_a_202_lets_a_corrected_finalize_in()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.FaultAsync("finalize", new { kind = "reset" });
        await app.Pdi.FaultAsync("getSessionStatus", new { kind = "reset" });
        var taken = await sale.FinalizeAsync(redeemPoints: 99_999_999);
        await app.Pdi.HealAsync();
        await app.LeasesRunOutAsync();

        await Eventually.GetAsync(sale.StatusAsync, status => status.Json.GetProperty("status").GetString() == "pending_finalization", "the refusal is stored");
        var corrected = await sale.FinalizeAsync();

        Assert.Equal(202, taken.Status);
        Assert.Equal(200, corrected.Status);
        Assert.True(SessionId.TryParse(sale.SessionId, out var id));
        var refused = (await app.Services.GetRequiredService<ISessionStore>().EventsAsync(id, CancellationToken.None)).Single(row => row.Event == "finalize_refused");
        Assert.StartsWith("INSUFFICIENT_POINTS: ", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redemption_that_certainly_did_not_reach_PDI_is_503_and_redeems_nothing_later()
    {
        var connection = new PdiConnection();
        await using var service = await LoyaltyApp.StartAsync(backend, services: services =>
        {
            connection.StandBetween(services);
            services.AddSingleton(new PdiOptions { MaxRetries = 1, FirstBackoff = TimeSpan.FromMilliseconds(1), BreakerFailureThreshold = int.MaxValue });
            services.AddSingleton(Eager);
        });
        var sale = await (new Sale(service) { CustomerId = "CUST-GOLD" }).IdentifiedAsync();
        var before = await service.Pdi.BalanceAsync("CUST-GOLD");
        connection.IsRefused = true;

        var redeeming = await sale.FinalizeAsync(redeemPoints: 100);
        var standing = await sale.StatusAsync();
        var queue = await service.GetAsync("/ops/queue");
        var earning = await sale.FinalizeAsync();
        connection.IsRefused = false;
        var settled = await SettledAsync(sale);

        Assert.Equal((503, "pdi_unavailable", true), (redeeming.Status, redeeming.Code, redeeming.Headers.ContainsKey("Retry-After")));
        Assert.Equal("pending_finalization", standing.Json.GetProperty("status").GetString());
        Assert.Empty(queue.Json.GetProperty("items").EnumerateArray());
        Assert.Equal(202, earning.Status);
        Assert.Equal(0, settled.Json.GetProperty("redeemedPoints").GetInt64());
        Assert.Equal(before + 450, await service.Pdi.BalanceAsync("CUST-GOLD"));
    }

    [Fact]
    public async Task A_redemption_that_may_have_reached_PDI_is_202_and_counts_once()
    {
        var sale = await (new Sale(app) { CustomerId = "CUST-GOLD" }).IdentifiedAsync();
        var before = await app.Pdi.BalanceAsync("CUST-GOLD");
        await app.Pdi.FaultAsync("finalize", new { kind = "commit-then-reset" });
        await app.Pdi.FaultAsync("getSessionStatus", new { kind = "reset" });

        var redeeming = await sale.FinalizeAsync(redeemPoints: 100);
        await app.Pdi.HealAsync();
        var settled = await SettledAsync(sale);

        Assert.Equal(202, redeeming.Status);
        Assert.Equal(100, settled.Json.GetProperty("redeemedPoints").GetInt64());
        Assert.Equal(before + settled.Json.GetProperty("earnedPoints").GetInt64() - 100, await app.Pdi.BalanceAsync("CUST-GOLD"));
    }

    [Fact]
    public async Task A_calculation_that_a_finalize_overtakes_at_PDI_is_409_as_if_it_had_come_after()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.FaultAsync("calculateRewards", new { kind = "hang" });
        var calculating = sale.CalculateAsync();
        await app.Pdi.IsAskedAsync("calculateRewards", times: 1);
        var finalized = await sale.FinalizeAsync();
        await app.Pdi.HealAsync();
        var calculated = await calculating;

        Assert.Equal(200, finalized.Status);
        Assert.Equal((409, "invalid_state"), (calculated.Status, calculated.Code));
    }

    private async Task RestartAsync(PdiOptions options)
    {
        await app.DisposeAsync();
        app = await StartAsync(options);
    }

    private Task<LoyaltyApp> StartAsync(PdiOptions options) => LoyaltyApp.StartAsync(backend, services: services =>
    {
        services.AddSingleton(options);
        services.AddSingleton(Eager);
    });

    /// <summary>The worker settles what the request has left, without waiting until the row no longer belongs to the request.</summary>
    private static async Task<Answer> SettledAsync(Sale sale)
    {
        await sale.App.LeasesRunOutAsync();
        return await Eventually.GetAsync(
            sale.StatusAsync, status => status.Json.GetProperty("status").GetString() == "finalized", "the sale is settled", TimeSpan.FromSeconds(60));
    }

    private static async Task<(int, string?)> RepeatAsync(Sale sale)
    {
        var repeat = await sale.FinalizeAsync();
        return (repeat.Status, repeat.Json.GetProperty("receiptId").GetString());
    }
}

public sealed class PdiFaultsOnPostgresTests() : PdiFaultTests(Backend.Postgres);

public sealed class PdiFaultsOnSqliteTests() : PdiFaultTests(Backend.Sqlite);
