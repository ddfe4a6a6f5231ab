using System.Globalization;
using System.Text;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.IntegrationTests.RateLimits;

/// <summary>The limits as callers see them. The clock stands still unless a test moves it.</summary>
public sealed class RateLimitTests
{
    private const string AnyPath = "/loyalty/sessions/" + BadInputs.AnySession;

    private static readonly string[] Clients = ["till", "delivery", "kiosk"];

    private readonly FakeTimeProvider clock = new();

    [Theory]
    [InlineData("RATE_LIMIT_GLOBAL_PER_SECOND", "global")]
    [InlineData("RATE_LIMIT_CUSTOMER_PER_SECOND", "customer")]
    [InlineData("RATE_LIMIT_IP_PER_MINUTE", "address")]
    public async Task A_limited_caller_gets_Retry_After_and_is_served_then(string variable, string limit)
    {
        await using var app = await StartAsync((variable, "5"));
        await AnswersAsync(app, 5, 404);

        for (var number = 0; number < 3; number++)
        {
            var refused = await app.GetAsync(AnyPath);
            BadInputTests.AssertProblem(refused, 429, "rate_limited");
            var wait = TimeSpan.FromSeconds(int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture));
            Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(12));
            clock.Advance(wait);
            Assert.Equal(404, (await app.GetAsync(AnyPath)).Status);
            // In a short window more than one token refills meanwhile.
            await UseUpAsync(app);
        }

        var scrape = await Scrape.ReadAsync(app);
        Assert.True(scrape[$$"""loyalty_rate_limit_refusals{limit="{{limit}}"}"""] >= 3, scrape.Text);
    }

    [Fact]
    public async Task A_customers_limit_applies_on_every_route_and_to_no_other_customer()
    {
        await using var app = await StartAsync(("RATE_LIMIT_CUSTOMER_PER_SECOND", "2"));
        var sale = new Sale(app) { CustomerId = "CUST-GOLD" };
        var first = await sale.IdentifiedAsync();
        Assert.Equal(200, (await (sale with { TransactionId = "TXN-2" }).IdentifyAsync()).Status);

        var third = await app.PostAsync("/loyalty/identify", """{"metadata":{"customerId":"CUST-12345","a":[1]},"transactionId":"TXN-3","channelId":"POS-001","customerId":"CUST-GOLD"}""");
        var other = await new Sale(app) { CustomerId = "CUST-12345" }.IdentifyAsync();

        BadInputTests.AssertProblem(third, 429, "rate_limited");
        Assert.Equal(200, other.Status);
        Assert.Equal(3, await app.CountSessionsAsync());
        // Later calls of the sale count for its session.
        Assert.Equal((200, 200), ((await first.CalculateAsync()).Status, (await first.FinalizeAsync()).Status));
        Assert.Equal((429, 429), ((await first.StatusAsync()).Status, (await app.GetAsync("/loyalty/getSessionStatus?sessionId=" + first.SessionId)).Status));
    }

    [Fact]
    public async Task A_body_that_arrives_in_pieces_is_read_in_full()
    {
        await using var app = await StartAsync(("RATE_LIMIT_CUSTOMER_PER_SECOND", "100"));
        var padding = new string(' ', 50_000);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/loyalty/identify")
        {
            Content = new StringContent($$"""{"channelId":"POS-001",{{padding}}"transactionId":"TXN-1",{{padding[..10_000]}}"customerId":"CUST-GOLD"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = true;

        Assert.Equal(200, (await app.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Probes_and_metrics_always_answer()
    {
        await using var app = await StartAsync(("RATE_LIMIT_GLOBAL_PER_SECOND", "1"), ("RATE_LIMIT_IP_PER_MINUTE", "1"));
        await UseUpAsync(app);

        foreach (var path in new[] { "/health", "/health/ready", "/health/live", "/metrics" })
        {
            for (var number = 0; number < 3; number++)
                Assert.Equal(200, (await app.GetAsync(path)).Status);
        }

        Assert.Equal(429, (await app.GetAsync("/nothing")).Status);
    }

    [Fact]
    public async Task Unknown_callers_use_up_only_their_addresss_limit()
    {
        await using var app = await StartAsync(
            Keys, ("TRUSTED_PROXIES", "127.0.0.1"), ("RATE_LIMIT_GLOBAL_PER_SECOND", "2"), ("RATE_LIMIT_IP_PER_MINUTE", "3"));

        for (var number = 0; number < 3; number++)
            Assert.Equal(401, (await app.GetAsync(AnyPath, From("192.0.2.1"), Key("wrong"))).Status);
        Assert.Equal(429, (await app.GetAsync(AnyPath, From("192.0.2.1"), Key("wrong"))).Status);
        Assert.Equal(429, (await app.GetAsync(AnyPath, From("192.0.2.1"))).Status);

        Assert.Equal(404, (await app.GetAsync(AnyPath, From("192.0.2.2"), Key("till"))).Status);
        Assert.Equal(404, (await app.GetAsync(AnyPath, From("192.0.2.2"), Key("till"))).Status);
        Assert.Contains("for the service", (await app.GetAsync(AnyPath, From("192.0.2.2"), Key("till"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clients_limit_replaces_that_of_its_address()
    {
        await using var app = await StartAsync(Keys, ("RATE_LIMIT_IP_PER_MINUTE", "2"), ("RATE_LIMIT_CLIENTS", "delivery:4,kiosk:0"));

        await AnswersAsync(app, 4, 404, Key("delivery"));
        Assert.Contains("from this client", (await app.GetAsync(AnyPath, Key("delivery"))).Text, StringComparison.Ordinal);
        await AnswersAsync(app, 10, 404, Key("kiosk"));
        await AnswersAsync(app, 2, 404, Key("till"));
        Assert.Contains("from this address", (await app.GetAsync(AnyPath, Key("till"))).Text, StringComparison.Ordinal);
    }

    [Theory]
    // Only the entry that the trusted proxy added counts.
    [InlineData("127.0.0.1", "192.0.2.1", "192.0.2.2", false)]
    [InlineData("127.0.0.1", "192.0.2.1", "192.0.2.1", true)]
    [InlineData("127.0.0.0/8", "203.0.113.9, 192.0.2.1", "203.0.113.8, 192.0.2.1", true)]
    [InlineData("127.0.0.1,10.0.0.0/8", "192.0.2.1, 10.1.2.3", "192.0.2.1, 10.9.9.9", true)]
    [InlineData("127.0.0.1,10.0.0.0/8", "192.0.2.1, 10.1.2.3", "192.0.2.2, 10.1.2.3", false)]
    [InlineData("127.0.0.1", "nonsense", "other nonsense", true)]
    // An untrusted sender's header is ignored.
    [InlineData("10.0.0.0/8", "192.0.2.1", "192.0.2.2", true)]
    [InlineData(null, "192.0.2.1", "192.0.2.2", true)]
    // All addresses of an IPv6 /64 are one caller.
    [InlineData("127.0.0.1", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("127.0.0.1", "2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("127.0.0.1", "192.0.2.1", "::ffff:192.0.2.1", true)]
    public async Task X_Forwarded_For_counts_only_from_trusted_proxies(string? trusted, string first, string second, bool isOne)
    {
        await using var app = await StartAsync(Keys, ("TRUSTED_PROXIES", trusted), ("RATE_LIMIT_IP_PER_MINUTE", "1"));

        Assert.Equal(404, (await app.GetAsync(AnyPath, Key("till"), From(first))).Status);
        Assert.Equal(isOne ? 429 : 404, (await app.GetAsync(AnyPath, Key("till"), From(second))).Status);
    }

    [Fact]
    public async Task A_caller_behind_a_proxy_is_not_local()
    {
        await using var app = await StartAsync(("TRUSTED_PROXIES", "127.0.0.1"));

        Assert.Equal((404, 401), ((await app.GetAsync(AnyPath)).Status, (await app.GetAsync(AnyPath, From("192.0.2.1"))).Status));
    }

    private static (string, string?) Keys => ("API_KEYS", string.Join(',', Clients.Select(
        name => $"{name}:loyalty:{KeyHash.Of(name)}")));

    private static (string, string) Key(string secret) => ("X-Api-Key", secret);

    private static (string, string) From(string address) => ("X-Forwarded-For", address);

    private Task<LoyaltyApp> StartAsync(params (string Name, string? Value)[] variables) => LoyaltyApp.StartAsync(
        Backend.Sqlite,
        variables.ToDictionary(variable => variable.Name, variable => variable.Value),
        services: services => services.AddSingleton<TimeProvider>(clock));

    private static async Task AnswersAsync(LoyaltyApp app, int times, int status, params (string, string)[] headers)
    {
        for (var number = 0; number < times; number++)
            Assert.Equal(status, (await app.GetAsync(AnyPath, headers)).Status);
    }

    private static async Task UseUpAsync(LoyaltyApp app)
    {
        for (var number = 0; number < 20; number++)
        {
            if ((await app.GetAsync(AnyPath)).Status == 429)
                return;
        }

        Assert.Fail("Nothing was refused.");
    }
}
