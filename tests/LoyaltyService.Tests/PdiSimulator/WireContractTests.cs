using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using static LoyaltyService.Tests.Simulator.SimulatorHost;

namespace LoyaltyService.Tests.Simulator;

public sealed class WireContractTests
{
    [Fact]
    public async Task The_sample_sale_has_the_exact_figures()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2025, 6, 1, 12, 0, 0, TimeSpan.Zero));
        await using var pdi = await SimulatorHost.StartAsync(clock);

        var identified = await JsonAsync(await pdi.PostIdentifyAsync());
        var session = identified["pdiSessionId"]!.GetValue<string>();
        var calculated = await JsonAsync(await pdi.PostCalculateAsync(session));
        var finalized = await JsonAsync(await pdi.PostFinalizeAsync(session));
        var status = await JsonAsync(await pdi.GetStatusAsync(session));

        AssertJson($$"""
            {"pdiSessionId":"{{session}}","customerId":"CUST-12345","customerName":"John Doe","currentPoints":5000,"tier":"Gold"}
            """, identified);
        AssertJson($$"""
            {"pdiSessionId":"{{session}}","basePoints":300,"tierBonus":150,"bonusPoints":150,"earnedPoints":450,"multiplier":3.0}
            """, calculated);
        AssertJson($$"""
            {"pdiSessionId":"{{session}}","receiptId":"RCP-2025-001","earnedPoints":450,"redeemedPoints":0,"newBalance":5450}
            """, finalized);
        AssertJson($$"""
            {"pdiSessionId":"{{session}}","status":"finalized","earnedPoints":450,"redeemedPoints":0,"newBalance":5450,
             "receiptId":"RCP-2025-001","finalizedAt":"2025-06-01T12:00:00+00:00"}
            """, status);
    }

    [Fact]
    public async Task An_open_session_shows_the_customers_balance_and_no_receipt()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        var status = await JsonAsync(await pdi.GetStatusAsync(session));

        AssertJson($$"""
            {"pdiSessionId":"{{session}}","status":"open","earnedPoints":0,"redeemedPoints":0,"newBalance":5000,"receiptId":null,"finalizedAt":null}
            """, status);
    }

    [Fact]
    public async Task Finalize_deducts_the_redeemed_points_from_the_balance()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        var calculated = await JsonAsync(await pdi.PostCalculateAsync(session, 20.50m, redeemPoints: 500));
        var finalized = await JsonAsync(await pdi.PostFinalizeAsync(session, amount: 15.50m, redeemPoints: 500));

        Assert.Equal(2050, calculated["redeemablePoints"]!.GetValue<long>());
        Assert.Equal("5.00", calculated["discount"]!.ToJsonString());
        Assert.Equal(46, finalized["earnedPoints"]!.GetValue<long>());
        Assert.Equal(500, finalized["redeemedPoints"]!.GetValue<long>());
        Assert.Equal(5000 + 46 - 500, finalized["newBalance"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_discount_never_exceeds_the_sale()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        var calculated = await JsonAsync(await pdi.PostCalculateAsync(await pdi.GivenSessionAsync(), 3.00m, redeemPoints: 500));

        Assert.Equal(300, calculated["redeemablePoints"]!.GetValue<long>());
        Assert.Equal(3.00m, calculated["discount"]!.GetValue<decimal>());
    }

    [Fact]
    public async Task Finalize_computes_the_points_and_records_the_callers_figure()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        var finalized = await JsonAsync(await pdi.PostFinalizeAsync(session, earnedPoints: 999_999));

        Assert.Equal(450, finalized["earnedPoints"]!.GetValue<long>());
        var entry = (await pdi.GetAsync($"/_simulator/ledger?pdiSessionId={session}"))["sessions"]!.AsArray().Single()!;
        Assert.Equal(999_999, entry["requestedEarnedPoints"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_sale_without_rewards_moves_no_points()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        var finalized = await JsonAsync(
            await pdi.PostFinalizeAsync(await pdi.GivenSessionAsync(), redeemPoints: 100, applyRewards: false));

        Assert.Equal(0, finalized["earnedPoints"]!.GetValue<long>());
        Assert.Equal(0, finalized["redeemedPoints"]!.GetValue<long>());
        Assert.Equal(5000, finalized["newBalance"]!.GetValue<long>());
    }

    [Theory]
    [InlineData("CUST-BRONZE", "Bronze", 20, 0)]
    [InlineData("CUST-SILVER", "Silver", 20, 6)]
    [InlineData("CUST-GOLD", "Gold", 20, 11)]
    [InlineData("CUST-PLATINUM", "Platinum", 20, 21)]
    public async Task Each_tier_has_its_bonus_and_rounding_happens_once(string customer, string tier, long basePoints, long tierBonus)
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var identified = await JsonAsync(await pdi.PostIdentifyAsync(customer));

        // 10.40 earns a base of 20.8, so Platinum earns 41.6 in all. Rounding the parts would lose a point.
        var calculated = await JsonAsync(await pdi.PostCalculateAsync(identified["pdiSessionId"]!.GetValue<string>(), 10.40m));

        Assert.Equal(tier, identified["tier"]!.GetValue<string>());
        Assert.Equal($"Test Customer {tier}", identified["customerName"]!.GetValue<string>());
        Assert.Equal(basePoints, calculated["basePoints"]!.GetValue<long>());
        Assert.Equal(tierBonus, calculated["tierBonus"]!.GetValue<long>());
        Assert.Equal(calculated["tierBonus"]!.GetValue<long>(), calculated["bonusPoints"]!.GetValue<long>());
    }

    [Fact]
    public async Task Load_customers_need_no_creation_and_keep_their_tier()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        var before = await pdi.GetAsync("/_simulator/customers/CUST-LOAD-000001");
        var identified = await JsonAsync(await pdi.PostIdentifyAsync("CUST-LOAD-000001"));

        Assert.Equal("Load Customer", identified["customerName"]!.GetValue<string>());
        Assert.Equal(1000, identified["currentPoints"]!.GetValue<long>());
        Assert.Equal(before["tier"]!.GetValue<string>(), identified["tier"]!.GetValue<string>());
    }

    private static void AssertJson(string expected, JsonObject actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"Expected {expected}, but got {actual.ToJsonString()}");
}
