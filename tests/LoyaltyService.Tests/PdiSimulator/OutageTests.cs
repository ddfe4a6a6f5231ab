using System.Net;

namespace LoyaltyService.Tests.Simulator;

public sealed class OutageTests
{
    [Fact]
    public async Task An_outage_resets_every_call_until_it_ends()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        await pdi.PutAsync("/_simulator/outage", new { down = true });

        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostTokenAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostIdentifyAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostCalculateAsync("pdi_none"));
        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostFinalizeAsync("pdi_none"));
        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.GetStatusAsync("pdi_none"));

        await pdi.PutAsync("/_simulator/outage", new { down = false });
        Assert.Equal(HttpStatusCode.OK, (await pdi.PostIdentifyAsync()).StatusCode);
    }

    [Fact]
    public async Task An_outage_resets_held_calls()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        await pdi.ArmAsync("identify", new { kind = "hang" });
        var call = pdi.PostIdentifyAsync();
        await pdi.UntilCallWaitsAsync("identify");

        await pdi.PutAsync("/_simulator/outage", new { down = true });

        await Assert.ThrowsAsync<HttpRequestException>(() => call);
    }

    [Fact]
    public async Task Calls_are_counted_by_operation_and_outcome()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        await pdi.DeleteAsync("/_simulator/calls");

        await pdi.PostIdentifyAsync();
        await pdi.PostIdentifyAsync();
        await pdi.PostIdentifyAsync("CUST-NOBODY");
        await pdi.ArmAsync("finalize", new { kind = "reset" });
        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostFinalizeAsync("pdi_none"));

        var counts = await pdi.GetAsync("/_simulator/calls");
        Assert.Equal("""{"finalize":{"aborted":1},"identify":{"200":2,"404":1}}""", counts.ToJsonString());
    }
}
