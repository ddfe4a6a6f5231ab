using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Time.Testing;
using static LoyaltyService.Tests.Simulator.SimulatorHost;

namespace LoyaltyService.Tests.Simulator;

public sealed class TokenTests
{
    [Fact]
    public async Task Client_credentials_get_a_bearer_token_for_an_hour()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        var token = await JsonAsync(await pdi.PostTokenAsync());

        Assert.NotEmpty(token["access_token"]!.GetValue<string>());
        Assert.Equal("Bearer", token["token_type"]!.GetValue<string>());
        Assert.Equal(3600, token["expires_in"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("grant_type=client_credentials&client_id=loyalty&client_secret=wrong", HttpStatusCode.Unauthorized, "invalid_client")]
    [InlineData("grant_type=client_credentials&client_id=other&client_secret=simulator-secret", HttpStatusCode.Unauthorized, "invalid_client")]
    [InlineData("grant_type=password&client_id=loyalty&client_secret=simulator-secret", HttpStatusCode.BadRequest, "unsupported_grant_type")]
    public async Task Wrong_credentials_get_no_token(string form, HttpStatusCode status, string error)
    {
        await using var pdi = await SimulatorHost.StartAsync();

        using var response = await pdi.PostTokenAsync(form);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(error, (await JsonAsync(response))["error"]!.GetValue<string>());
    }

    [Fact]
    public async Task Credentials_and_lifetime_are_configurable()
    {
        await using var pdi = await SimulatorHost.StartAsync("--client-id", "shop", "--client-secret", "s3cret", "--token-lifetime", "60");

        var token = await JsonAsync(await pdi.PostTokenAsync("grant_type=client_credentials&client_id=shop&client_secret=s3cret"));

        Assert.Equal(60, token["expires_in"]!.GetValue<int>());
    }

    [Fact]
    public async Task Every_call_requires_a_known_token()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        pdi.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "made-up");

        await AssertTokenRefusedByAllAsync(pdi);
        pdi.Http.DefaultRequestHeaders.Authorization = null;
        await AssertTokenRefusedByAllAsync(pdi);
    }

    [Fact]
    public async Task A_token_is_valid_until_it_expires()
    {
        var clock = new FakeTimeProvider();
        await using var pdi = await SimulatorHost.StartAsync(clock);

        clock.Advance(TimeSpan.FromSeconds(3599));
        Assert.Equal(HttpStatusCode.OK, (await pdi.PostIdentifyAsync()).StatusCode);

        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Unauthorized, (await pdi.PostIdentifyAsync()).StatusCode);

        await pdi.RenewTokenAsync();
        Assert.Equal(HttpStatusCode.OK, (await pdi.PostIdentifyAsync()).StatusCode);
    }

    [Fact]
    public async Task Revoked_tokens_are_refused()
    {
        await using var pdi = await SimulatorHost.StartAsync();

        using var revoked = await pdi.PostAsync("/_simulator/tokens/revoke", new { });

        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        await AssertTokenRefusedByAllAsync(pdi);
    }

    private static async Task AssertTokenRefusedByAllAsync(SimulatorHost pdi)
    {
        await AssertRefusedAsync(await pdi.PostIdentifyAsync(), HttpStatusCode.Unauthorized, "INVALID_TOKEN");
        await AssertRefusedAsync(await pdi.PostCalculateAsync("pdi_none"), HttpStatusCode.Unauthorized, "INVALID_TOKEN");
        await AssertRefusedAsync(await pdi.PostFinalizeAsync("pdi_none"), HttpStatusCode.Unauthorized, "INVALID_TOKEN");
        await AssertRefusedAsync(await pdi.GetStatusAsync("pdi_none"), HttpStatusCode.Unauthorized, "INVALID_TOKEN");
    }
}
