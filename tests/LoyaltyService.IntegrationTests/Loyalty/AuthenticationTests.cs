using System.Text;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>Who may call, and whose session is whose.</summary>
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
    public async Task Without_a_known_key_nothing_is_done(string method, string path)
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
    public async Task A_key_for_operators_is_not_one_for_tills(string method, string path) =>
        BadInputTests.AssertProblem(await CallAsync(method, path, "operator-secret"), 403, "forbidden");

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Who_is_not_known_is_told_so_before_the_body_is_read(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new ByteArrayContent(new byte[100]) };

        BadInputTests.AssertProblem(await app.SendAsync(request), 401, "unauthenticated");
    }

    [Fact]
    public async Task A_session_of_another_client_is_not_found_and_stays_as_it_is()
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
    public async Task The_same_sale_of_two_clients_is_two_sessions()
    {
        await using var app = await StartAsync();
        var sale = new Sale(app);

        var till = await (sale with { Headers = [("X-Api-Key", "till-secret")] }).IdentifyAsync();
        var kiosk = await (sale with { Headers = [("X-Api-Key", "kiosk-secret")] }).IdentifyAsync();
        // Two keys of one client, as while they are rotated, are one client.
        var rotated = await (sale with { Headers = [("X-Api-Key", "till-secret-2")] }).IdentifyAsync();

        Assert.Equal((200, 200), (till.Status, kiosk.Status));
        Assert.NotEqual(till.SessionId, kiosk.SessionId);
        Assert.Equal((till.Text, true), (rotated.Text, rotated.IsReplay));
    }

    [Fact]
    public async Task Without_keys_and_outside_production_this_machine_may_call_but_not_with_a_wrong_key()
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
    // A page of another site, whose name was made to point here.
    [InlineData("Host", "shop.example.com")]
    // A page of another site, or of another service of this machine.
    [InlineData("Origin", "https://shop.example.com")]
    [InlineData("Origin", "http://localhost:1")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task What_came_through_somebody_else_is_not_from_this_machine(string header, string value)
    {
        await using var open = await LoyaltyApp.StartAsync(Backend.Sqlite);

        BadInputTests.AssertProblem(await (new Sale(open) { Headers = [(header, value)] }).IdentifyAsync(), 401, "unauthenticated");
        // Without a body no browser asks the service first whether the page may do that.
        BadInputTests.AssertProblem(await open.PostAsync("/ops/jobs/none/run", "", (header, value)), 401, "unauthenticated");
    }

    [Fact]
    public async Task A_page_of_the_service_itself_may_call_and_so_may_an_address_that_is_typed()
    {
        await using var open = await LoyaltyApp.StartAsync(Backend.Sqlite);

        Assert.Equal(200, (await new Sale(open) { Headers = [("Origin", open.Address.GetLeftPart(UriPartial.Authority)), ("Sec-Fetch-Site", "same-origin")] }.IdentifyAsync()).Status);
        Assert.Equal(200, (await open.GetAsync("/ops/queue", ("Sec-Fetch-Site", "none"))).Status);
    }

    [Fact]
    public async Task A_key_that_is_put_into_the_file_counts_without_a_restart_and_one_that_is_taken_out_does_not()
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

    /// <summary>The app with two clients and an operator; no test here lets a call come through.</summary>
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
