using System.Text;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>Authentication, and the ownership of sessions.</summary>
public sealed class AuthenticationTests(AuthenticationTests.Running running) : IClassFixture<AuthenticationTests.Running>
{
    private readonly LoyaltyApp app = running.App;

    public static TheoryData<string, string> Calls => new()
    {
        { "POST", "/loyalty/identify" },
        { "POST", "/loyalty/calculate-rewards" },
        { "POST", "/loyalty/finalize" },
        { "GET", "/loyalty/sessions/" + BadInputs.AnySession },
        { "GET", "/loyalty/getSessionStatus?sessionId=" + BadInputs.AnySession },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Without_a_known_key_nothing_happens(string method, string path)
    {
        foreach (var key in new[] { null, "", "wrong", "TILL-SECRET", "till-secret,till-secret", new string('x', 257), KeyHash.Of("till-secret") })
        {
            var answer = await CallAsync(method, path, key);

            BadInputTests.AssertProblem(answer, 401, "unauthenticated");
        }

        BadInputTests.AssertProblem(await CallAsync(method, path, null, ("Authorization", "Bearer till-secret")), 401, "unauthenticated");
        Assert.Equal(0, await app.Pdi.CallsAsync("identify"));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task An_operators_key_does_not_open_till_routes(string method, string path) =>
        BadInputTests.AssertProblem(await CallAsync(method, path, "operator-secret"), 403, "forbidden");

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task An_unknown_caller_gets_401_before_the_body_is_read(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new ByteArrayContent(new byte[100]) };

        BadInputTests.AssertProblem(await app.SendAsync(request), 401, "unauthenticated");
    }

    [Fact]
    public async Task Another_clients_session_is_not_found_and_does_not_change()
    {
        await using var app = await StartAsync();
        var sale = await (new Sale(app) { Headers = [("X-Api-Key", "till-secret")] }).IdentifiedAsync();
        var before = await sale.StatusAsync();
        var others = sale with { Headers = [("X-Api-Key", "kiosk-secret")] };

        BadInputTests.AssertProblem(await others.StatusAsync(), 404, "session_not_found");
        BadInputTests.AssertProblem(await app.GetAsync("/loyalty/getSessionStatus?sessionId=" + sale.SessionId, others.Headers), 404, "session_not_found");
        BadInputTests.AssertProblem(await others.CalculateAsync(), 404, "session_not_found");
        BadInputTests.AssertProblem(await others.FinalizeAsync(), 404, "session_not_found");

        Assert.Equal(before.Text, (await sale.StatusAsync()).Text);
        Assert.Equal((0, 0), (await app.Pdi.CallsAsync("calculateRewards"), await app.Pdi.CallsAsync("finalize")));
    }

    [Fact]
    public async Task Two_clients_with_the_same_sale_get_two_sessions()
    {
        await using var app = await StartAsync();
        var sale = new Sale(app);

        var till = await (sale with { Headers = [("X-Api-Key", "till-secret")] }).IdentifyAsync();
        var kiosk = await (sale with { Headers = [("X-Api-Key", "kiosk-secret")] }).IdentifyAsync();
        // Two keys of one client, as during rotation, are one client.
        var rotated = await (sale with { Headers = [("X-Api-Key", "till-secret-2")] }).IdentifyAsync();

        Assert.Equal((200, 200), (till.Status, kiosk.Status));
        Assert.NotEqual(till.SessionId, kiosk.SessionId);
        Assert.Equal((till.Text, true), (rotated.Text, rotated.IsReplay));
    }

    [Fact]
    public async Task Without_keys_outside_production_local_callers_need_no_key()
    {
        await using var open = await LoyaltyApp.StartAsync(Backend.Sqlite);
        var sale = new Sale(open);

        Assert.Equal(200, (await sale.IdentifyAsync()).Status);
        BadInputTests.AssertProblem(await (sale with { Headers = [("X-Api-Key", "any")] }).IdentifyAsync(), 401, "unauthenticated");
    }

    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    // A page of another site whose name resolves here (DNS rebinding).
    [InlineData("Host", "shop.example.com")]
    // A page of another site, or of another service on this machine.
    [InlineData("Origin", "https://shop.example.com")]
    [InlineData("Origin", "http://localhost:1")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task A_forwarded_call_is_not_local(string header, string value)
    {
        await using var open = await LoyaltyApp.StartAsync(Backend.Sqlite);

        BadInputTests.AssertProblem(await (new Sale(open) { Headers = [(header, value)] }).IdentifyAsync(), 401, "unauthenticated");
        // Without a body, browsers send no preflight request.
        BadInputTests.AssertProblem(await open.PostAsync("/ops/jobs/none/run", "", (header, value)), 401, "unauthenticated");
    }

    [Fact]
    public async Task Same_origin_pages_and_typed_addresses_may_call()
    {
        await using var open = await LoyaltyApp.StartAsync(Backend.Sqlite);

        Assert.Equal(200, (await new Sale(open) { Headers = [("Origin", open.Address.GetLeftPart(UriPartial.Authority)), ("Sec-Fetch-Site", "same-origin")] }.IdentifyAsync()).Status);
        Assert.Equal(200, (await open.GetAsync("/ops/queue", ("Sec-Fetch-Site", "none"))).Status);
    }

    [Fact]
    public async Task Keys_are_added_and_removed_without_a_restart()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, $"till:loyalty:{KeyHash.Of("old-secret")}", TestContext.Current.CancellationToken);
        await using var rotating = await LoyaltyApp.StartAsync(Backend.Sqlite, new() { ["API_KEYS_FILE"] = file });
        var reload = rotating.Services.GetServices<IHostedService>().OfType<ApiKeyReload>().Single();
        var sale = new Sale(rotating);
        var first = await (sale with { Headers = [("X-Api-Key", "old-secret")] }).IdentifyAsync();

        await File.WriteAllTextAsync(file, $"till:loyalty:{KeyHash.Of("old-secret")},till:loyalty:{KeyHash.Of("new-secret")}", TestContext.Current.CancellationToken);
        reload.Look();
        var both = await (sale with { Headers = [("X-Api-Key", "new-secret")] }).IdentifyAsync();
        await File.WriteAllTextAsync(file, $"till:loyalty:{KeyHash.Of("new-secret")}", TestContext.Current.CancellationToken);
        reload.Look();

        Assert.Equal((200, first.Text, true), (both.Status, both.Text, both.IsReplay));
        BadInputTests.AssertProblem(await (sale with { Headers = [("X-Api-Key", "old-secret")] }).IdentifyAsync(), 401, "unauthenticated");
        Assert.Equal(200, (await (sale with { Headers = [("X-Api-Key", "new-secret")] }).IdentifyAsync()).Status);
        File.Delete(file);
    }

    /// <summary>The app with two clients and an operator. No call in these tests succeeds.</summary>
    public sealed class Running : IAsyncLifetime
    {
        internal LoyaltyApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync() => App = await StartAsync();

        public async ValueTask DisposeAsync() => await App.DisposeAsync();
    }

    private static Task<LoyaltyApp> StartAsync() => LoyaltyApp.StartAsync(Backend.Sqlite, new()
    {
        ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till-secret")},till:loyalty:{KeyHash.Of("till-secret-2")},kiosk:loyalty:{KeyHash.Of("kiosk-secret")},operator:ops:{KeyHash.Of("operator-secret")}",
    });

    private async Task<Answer> CallAsync(string method, string path, string? key, params (string, string)[] headers)
    {
        var route = path.Split('/')[^1];
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (BadInputs.Good.TryGetValue(route, out var body))
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await app.SendAsync(request, key is null ? headers : [.. headers, ("X-Api-Key", key)]);
    }
}
