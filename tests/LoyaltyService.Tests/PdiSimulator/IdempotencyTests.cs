using System.Net;
using static LoyaltyService.Tests.Simulator.SimulatorHost;

namespace LoyaltyService.Tests.Simulator;

public sealed class IdempotencyTests
{
    [Fact]
    public async Task Finalizing_again_under_the_same_key_returns_the_same_bytes()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        var first = await TextAsync(await pdi.PostFinalizeAsync(session, "key"));
        var second = await TextAsync(await pdi.PostFinalizeAsync(session, "key"));

        Assert.Equal(first, second);
        Assert.Equal(5450, await BalanceAsync(pdi));
        Assert.Equal(1, await CommitsAsync(pdi, session));
    }

    [Fact]
    public async Task Trailing_zeros_of_an_amount_do_not_change_the_request()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        var first = await TextAsync(await pdi.PostFinalizeAsync(session, "key", amount: 150.00m));
        var second = await TextAsync(await pdi.PostFinalizeAsync(session, "key", amount: 150m));

        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Finalizing_again_under_another_key_is_refused()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        await pdi.PostFinalizeAsync(session, "key");
        await AssertRefusedAsync(await pdi.PostFinalizeAsync(session, "other key"), HttpStatusCode.Conflict, "SESSION_CLOSED");

        Assert.Equal(5450, await BalanceAsync(pdi));
        Assert.Equal(1, await CommitsAsync(pdi, session));
    }

    [Fact]
    public async Task A_key_with_a_different_body_is_refused()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();
        await pdi.PostFinalizeAsync(session, "key");

        await AssertRefusedAsync(
            await pdi.PostFinalizeAsync(session, "key", amount: 151m), HttpStatusCode.UnprocessableEntity, "IDEMPOTENCY_KEY_REUSED");
    }

    [Fact]
    public async Task Identifying_again_under_the_same_key_returns_the_same_session()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        var first = await TextAsync(await pdi.PostIdentifyAsync(key: "key"));
        var second = await TextAsync(await pdi.PostIdentifyAsync(key: "key"));

        Assert.Equal(first, second);
        await AssertRefusedAsync(
            await pdi.PostIdentifyAsync(transactionId: "TXN-OTHER", key: "key"),
            HttpStatusCode.UnprocessableEntity,
            "IDEMPOTENCY_KEY_REUSED");
    }

    [Fact]
    public async Task A_stored_refusal_outlives_its_reason()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        var first = await TextAsync(await pdi.PostFinalizeAsync(session, "key", redeemPoints: 6000));
        await pdi.PutAsync("/_simulator/customers/CUST-12345", new { currentPoints = 7000 });
        var second = await TextAsync(await pdi.PostFinalizeAsync(session, "key", redeemPoints: 6000));

        Assert.Contains("INSUFFICIENT_POINTS", first, StringComparison.Ordinal);
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task A_hundred_concurrent_equal_finalizes_take_effect_once()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ => await TextAsync(await pdi.PostFinalizeAsync(session, "key"))));

        Assert.Single(answers.Distinct());
        Assert.Equal(5450, await BalanceAsync(pdi));
        Assert.Equal(1, await CommitsAsync(pdi, session));
    }

    private static Task<string> TextAsync(HttpResponseMessage response) =>
        response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    private static async Task<long> BalanceAsync(SimulatorHost pdi) =>
        (await pdi.GetAsync("/_simulator/customers/CUST-12345"))["currentPoints"]!.GetValue<long>();

    private static async Task<long> CommitsAsync(SimulatorHost pdi, string session) =>
        (await pdi.GetAsync($"/_simulator/ledger?pdiSessionId={session}"))["sessions"]![0]!["finalizes"]!.GetValue<long>();
}
