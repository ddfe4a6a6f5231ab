using System.Net;
using static LoyaltyService.Tests.Simulator.SimulatorHost;

namespace LoyaltyService.Tests.Simulator;

public sealed class RefusalTests
{
    [Fact]
    public async Task An_unknown_customer_is_refused()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        await AssertRefusedAsync(await pdi.PostIdentifyAsync("CUST-NOBODY"), HttpStatusCode.NotFound, "UNKNOWN_CUSTOMER");
    }

    [Fact]
    public async Task Every_call_refuses_an_unknown_session()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        await AssertRefusedAsync(await pdi.PostCalculateAsync("pdi_none"), HttpStatusCode.NotFound, "SESSION_NOT_FOUND");
        await AssertRefusedAsync(await pdi.PostFinalizeAsync("pdi_none"), HttpStatusCode.NotFound, "SESSION_NOT_FOUND");
        await AssertRefusedAsync(await pdi.GetStatusAsync("pdi_none"), HttpStatusCode.NotFound, "SESSION_NOT_FOUND");
    }

    [Fact]
    public async Task Redeeming_more_than_the_balance_is_refused()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        await AssertRefusedAsync(
            await pdi.PostCalculateAsync(session, redeemPoints: 5001), HttpStatusCode.UnprocessableEntity, "INSUFFICIENT_POINTS");
        await AssertRefusedAsync(
            await pdi.PostFinalizeAsync(session, redeemPoints: 5001), HttpStatusCode.UnprocessableEntity, "INSUFFICIENT_POINTS");
    }

    [Theory]
    [InlineData(-0.01, 0)]
    [InlineData(1_000_000.01, 0)]
    [InlineData(10, -1)]
    public async Task Negative_and_huge_amounts_are_refused(double amount, long redeemPoints)
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        await AssertRefusedAsync(
            await pdi.PostCalculateAsync(session, (decimal)amount, redeemPoints), HttpStatusCode.BadRequest, "INVALID_AMOUNT");
        await AssertRefusedAsync(
            await pdi.PostFinalizeAsync(session, amount: (decimal)amount, redeemPoints: redeemPoints),
            HttpStatusCode.BadRequest,
            "INVALID_AMOUNT");
    }

    [Fact]
    public async Task A_finalize_for_another_transaction_is_refused()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        await AssertRefusedAsync(
            await pdi.PostFinalizeAsync(session, transactionId: "TXN-OTHER"), HttpStatusCode.Conflict, "TRANSACTION_MISMATCH");
    }

    [Fact]
    public async Task A_voided_session_is_closed()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();

        using var voided = await pdi.PostAsync($"/_simulator/sessions/{session}/void", new { });

        Assert.Equal(HttpStatusCode.OK, voided.StatusCode);
        Assert.Equal("voided", (await JsonAsync(await pdi.GetStatusAsync(session)))["status"]!.GetValue<string>());
        await AssertRefusedAsync(await pdi.PostFinalizeAsync(session), HttpStatusCode.Conflict, "SESSION_CLOSED");
        await AssertRefusedAsync(await pdi.PostCalculateAsync(session), HttpStatusCode.Conflict, "SESSION_CLOSED");
    }

    [Theory]
    [InlineData("/identify")]
    [InlineData("/finalize")]
    public async Task A_change_without_an_idempotency_key_is_refused(string path)
    {
        await using var pdi = await SimulatorHost.StartAsync();

        await AssertRefusedAsync(await pdi.PostAsync(path, new { }), HttpStatusCode.BadRequest, "IDEMPOTENCY_KEY_REQUIRED");
    }

    [Theory]
    [InlineData("/identify")]
    [InlineData("/calculateRewards")]
    [InlineData("/finalize")]
    public async Task A_body_without_required_members_is_refused(string path)
    {
        await using var pdi = await SimulatorHost.StartAsync();

        await AssertRefusedAsync(await pdi.PostAsync(path, new { }, "key"), HttpStatusCode.BadRequest, "INVALID_REQUEST");
    }
}
