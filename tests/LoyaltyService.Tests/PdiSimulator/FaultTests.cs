using System.Net;
using Microsoft.Extensions.Time.Testing;
using static LoyaltyService.Tests.Simulator.SimulatorHost;

namespace LoyaltyService.Tests.Simulator;

/// <summary>Faults that act before any commit or prevent it.</summary>
public sealed class FaultTests
{
    [Fact]
    public async Task Status_fails_the_given_number_of_calls_and_changes_nothing()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("finalize", new { kind = "status", status = 503, retryAfterSeconds = 7, count = 2 });

        for (var call = 0; call < 2; call++)
        {
            using var broken = await pdi.PostFinalizeAsync(session, "key");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, broken.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(7), broken.Headers.RetryAfter!.Delta);
            Assert.Equal("open", await StatusAsync(pdi, session));
        }

        Assert.Equal(HttpStatusCode.OK, (await pdi.PostFinalizeAsync(session, "key")).StatusCode);
    }

    [Fact]
    public async Task Latency_delays_the_call()
    {
        var clock = new FakeTimeProvider();
        await using var pdi = await SimulatorHost.StartAsync(clock);
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("finalize", new { kind = "latency", latencyMs = 9000 });

        var call = pdi.PostFinalizeAsync(session);
        await pdi.UntilCallWaitsAsync("finalize");
        Assert.Equal("open", await StatusAsync(pdi, session));

        clock.Advance(TimeSpan.FromMilliseconds(9000));
        Assert.Equal(HttpStatusCode.OK, (await call).StatusCode);
    }

    [Fact]
    public async Task Hang_holds_the_call_until_the_fault_is_removed()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("finalize", new { kind = "hang", count = 1 });

        var call = pdi.PostFinalizeAsync(session);
        await pdi.UntilCallWaitsAsync("finalize");
        Assert.Equal("open", await StatusAsync(pdi, session));

        await pdi.DeleteAsync("/_simulator/faults/finalize");
        Assert.Equal(HttpStatusCode.OK, (await call).StatusCode);
    }

    [Fact]
    public async Task Hang_drops_a_call_whose_caller_disconnected()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("finalize", new { kind = "hang" });
        using var caller = new HttpClient { BaseAddress = pdi.Http.BaseAddress };
        caller.DefaultRequestHeaders.Authorization = pdi.Http.DefaultRequestHeaders.Authorization;

        var call = caller.PostAsync("/finalize", content: null, TestContext.Current.CancellationToken);
        await pdi.UntilCallWaitsAsync("finalize");
        caller.CancelPendingRequests();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await pdi.UntilCountedAsync("finalize", "aborted");
        Assert.Equal("open", await StatusAsync(pdi, session));
    }

    [Fact]
    public async Task Reset_resets_the_connection_and_changes_nothing()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("finalize", new { kind = "reset", count = 1 });

        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostFinalizeAsync(session));

        Assert.Equal("open", await StatusAsync(pdi, session));
    }

    [Fact]
    public async Task Reject_returns_a_business_refusal_with_the_given_code()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        await pdi.ArmAsync("identify", new { kind = "reject", code = "CARD_BLOCKED", message = "The card is blocked.", count = 1 });

        await AssertRefusedAsync(await pdi.PostIdentifyAsync(), HttpStatusCode.UnprocessableEntity, "CARD_BLOCKED");

        await pdi.ArmAsync("identify", new { kind = "reject", status = 400, count = 1 });
        await AssertRefusedAsync(await pdi.PostIdentifyAsync(), HttpStatusCode.BadRequest, "REJECTED");
    }

    [Fact]
    public async Task Expired_token_refuses_a_valid_token_until_removed()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        await pdi.ArmAsync("identify", new { kind = "expired-token" });

        await AssertRefusedAsync(await pdi.PostIdentifyAsync(), HttpStatusCode.Unauthorized, "INVALID_TOKEN");
        await pdi.RenewTokenAsync();
        await AssertRefusedAsync(await pdi.PostIdentifyAsync(), HttpStatusCode.Unauthorized, "INVALID_TOKEN");

        await pdi.DeleteAsync("/_simulator/faults");
        Assert.Equal(HttpStatusCode.OK, (await pdi.PostIdentifyAsync()).StatusCode);
    }

    [Theory]
    [InlineData("0", "0")]
    [InlineData("-1", "-1")]
    [InlineData("1e400", "1e400")]
    [InlineData("99999999999999999999", "99999999999999999999")]
    [InlineData("null", null)]
    public async Task Expires_in_returns_any_value_or_none(string expiresIn, string? seen)
    {
        await using var pdi = await SimulatorHost.StartAsync("--fault", $"token:expires-in:expiresIn={expiresIn}");

        var token = await JsonAsync(await pdi.PostTokenAsync());

        Assert.Equal(seen, token["expires_in"]?.ToJsonString());
        Assert.Equal(seen is not null, token.ContainsKey("expires_in"));
    }

    [Fact]
    public async Task The_token_call_takes_faults_too()
    {
        await using var pdi = await SimulatorHost.StartAsync("--fault", "token:status:status=500,count=2");

        using var second = await pdi.PostTokenAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, second.StatusCode);

        await pdi.ArmAsync("token", new { kind = "reset", count = 1 });
        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostTokenAsync());
        Assert.Equal(HttpStatusCode.OK, (await pdi.PostTokenAsync()).StatusCode);
    }

    [Fact]
    public async Task An_operations_fault_takes_precedence_over_that_of_all()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        await pdi.ArmAsync("all", new { kind = "status", status = 500 });
        await pdi.ArmAsync("identify", new { kind = "status", status = 429 });

        Assert.Equal(HttpStatusCode.TooManyRequests, (await pdi.PostIdentifyAsync()).StatusCode);
        Assert.Equal(HttpStatusCode.InternalServerError, (await pdi.GetStatusAsync("pdi_none")).StatusCode);
        Assert.Equal(HttpStatusCode.InternalServerError, (await pdi.PostTokenAsync()).StatusCode);
    }

    [Fact]
    public async Task A_call_with_an_invalid_token_does_not_use_up_a_fault()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("finalize", new { kind = "commit-then-status", count = 1 });
        await pdi.PostAsync("/_simulator/tokens/revoke", new { });

        Assert.Equal(HttpStatusCode.Unauthorized, (await pdi.PostFinalizeAsync(session)).StatusCode);

        await pdi.RenewTokenAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, (await pdi.PostFinalizeAsync(session)).StatusCode);
    }

    [Theory]
    [InlineData("nothing", """{"kind":"reset"}""", HttpStatusCode.NotFound)]
    [InlineData("finalize", """{"kind":"explode"}""", HttpStatusCode.BadRequest)]
    [InlineData("finalize", """{"kind":"reset","count":0}""", HttpStatusCode.BadRequest)]
    [InlineData("finalize", """{"kind":"status","status":99}""", HttpStatusCode.BadRequest)]
    [InlineData("finalize", """{"kind":"reset","probability":1.5}""", HttpStatusCode.BadRequest)]
    [InlineData("finalize", """{"kind":"expires-in","expiresIn":0}""", HttpStatusCode.BadRequest)]
    [InlineData("token", """{"kind":"expired-token"}""", HttpStatusCode.BadRequest)]
    public async Task An_invalid_fault_is_refused(string operation, string fault, HttpStatusCode status)
    {
        await using var pdi = await SimulatorHost.StartAsync();

        using var refused = await pdi.Http.PutAsync(
            $"/_simulator/faults/{operation}", new StringContent(fault), TestContext.Current.CancellationToken);

        Assert.Equal(status, refused.StatusCode);
        Assert.Empty(await pdi.GetAsync("/_simulator/faults"));
    }

    private static async Task<string> StatusAsync(SimulatorHost pdi, string session) =>
        (await JsonAsync(await pdi.GetStatusAsync(session)))["status"]!.GetValue<string>();
}
