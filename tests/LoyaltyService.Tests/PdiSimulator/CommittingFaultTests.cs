using System.Net;
using Microsoft.Extensions.Time.Testing;
using static LoyaltyService.Tests.Simulator.SimulatorHost;

namespace LoyaltyService.Tests.Simulator;

/// <summary>Faults that leave the caller in doubt: PDI commits, but the answer is lost, late or corrupt.</summary>
public sealed class CommittingFaultTests
{
    [Fact]
    public async Task Commit_then_status_commits_and_returns_an_error()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await GivenFaultAsync(pdi, new { kind = "commit-then-status", status = 502, count = 1 });

        using var broken = await pdi.PostFinalizeAsync(session, "key");

        Assert.Equal(HttpStatusCode.BadGateway, broken.StatusCode);
        await AssertCommittedOnceAsync(pdi, session);
    }

    [Fact]
    public async Task Commit_then_reset_commits_and_resets_the_connection()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await GivenFaultAsync(pdi, new { kind = "commit-then-reset", count = 1 });

        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostFinalizeAsync(session, "key"));

        await AssertCommittedOnceAsync(pdi, session);
    }

    [Fact]
    public async Task Commit_then_hang_commits_before_it_answers()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await GivenFaultAsync(pdi, new { kind = "commit-then-hang", count = 1 });

        var call = pdi.PostFinalizeAsync(session, "key");
        await pdi.UntilCallWaitsAsync("finalize");
        await AssertCommittedOnceAsync(pdi, session);

        await pdi.DeleteAsync("/_simulator/faults/finalize");
        Assert.Equal(HttpStatusCode.OK, (await call).StatusCode);
    }

    [Fact]
    public async Task Cut_announces_the_whole_body_and_sends_half()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await GivenFaultAsync(pdi, new { kind = "cut", count = 1 });

        await Assert.ThrowsAsync<HttpRequestException>(() => pdi.PostFinalizeAsync(session, "key"));

        await AssertCommittedOnceAsync(pdi, session);
    }

    [Fact]
    public async Task Drip_sends_the_headers_at_once_and_the_body_byte_by_byte()
    {
        var clock = new FakeTimeProvider();
        await using var pdi = await SimulatorHost.StartAsync(clock);
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("getSessionStatus", new { kind = "drip", latencyMs = 1000, count = 1 });
        var end = TestContext.Current.CancellationToken;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/getSessionStatus?pdiSessionId={session}");

        using var response = await pdi.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end);
        await using var body = await response.Content.ReadAsStreamAsync(end);
        var buffer = new byte[1024];

        // The second byte leaves only when the test advances the clock by a second.
        Assert.Equal(1, await body.ReadAsync(buffer, end));
        var second = body.ReadAsync(buffer, end).AsTask();
        Assert.False(second.IsCompleted);

        while (!second.IsCompleted)
            clock.Advance(TimeSpan.FromSeconds(1));

        Assert.NotEqual(0, await second);
    }

    [Fact]
    public async Task Not_json_commits_and_returns_200_with_text()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await GivenFaultAsync(pdi, new { kind = "not-json", count = 1 });

        using var broken = await pdi.PostFinalizeAsync(session, "key");

        Assert.Equal(HttpStatusCode.OK, broken.StatusCode);
        Assert.Equal("text/plain", broken.Content.Headers.ContentType!.MediaType);
        await AssertCommittedOnceAsync(pdi, session);
    }

    [Fact]
    public async Task Missing_member_commits_and_omits_a_required_member()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await GivenFaultAsync(pdi, new { kind = "missing-member", count = 1 });

        var broken = await JsonAsync(await pdi.PostFinalizeAsync(session, "key"));

        Assert.False(broken.ContainsKey("newBalance"));
        Assert.True(broken.ContainsKey("receiptId"));
        await AssertCommittedOnceAsync(pdi, session);
    }

    [Fact]
    public async Task Missing_member_omits_the_named_member()
    {
        await using var pdi = await SimulatorHost.StartAsync();
        var session = await GivenFaultAsync(pdi, new { kind = "missing-member", member = "receiptId", count = 1 });

        var broken = await JsonAsync(await pdi.PostFinalizeAsync(session, "key"));

        Assert.False(broken.ContainsKey("receiptId"));
    }

    private static async Task<string> GivenFaultAsync(SimulatorHost pdi, object fault)
    {
        var session = await pdi.GivenSessionAsync();
        await pdi.ArmAsync("finalize", fault);
        return session;
    }

    // The ledger shows the effect, and a retry with the same key gets the lost answer.
    private static async Task AssertCommittedOnceAsync(SimulatorHost pdi, string session)
    {
        var entry = (await pdi.GetAsync($"/_simulator/ledger?pdiSessionId={session}"))["sessions"]![0]!;
        Assert.Equal("finalized", entry["status"]!.GetValue<string>());

        var repeated = await JsonAsync(await pdi.PostFinalizeAsync(session, "key"));
        Assert.Equal(5450, repeated["newBalance"]!.GetValue<long>());
        Assert.Equal(1, (await pdi.GetAsync("/_simulator/ledger/summary"))["finalized"]!.GetValue<long>());
    }
}
