using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Security;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>Bearer tokens from a real issuer.</summary>
public sealed class BearerTests(BearerTests.Running running) : IClassFixture<BearerTests.Running>
{
    private readonly LoyaltyApp app = running.App;
    private readonly Issuer issuer = running.Issuer;

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    [Theory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    public async Task A_token_from_the_issuer_authenticates(string algorithm) =>
        Assert.Equal(200, (await SaleWith(issuer.Token(algorithm)).IdentifyAsync()).Status);

    private static readonly string[] List = ["openid", "loyalty"];
    private static readonly string[] Others = ["other-service", "loyalty"];

    public static TheoryData<string> Refused => [.. Tokens.Keys];

    // The name of the defect.
    private static readonly Dictionary<string, Func<Issuer, string>> Tokens = new()
    {
        ["expired"] = issuer => issuer.Token(changes: ("exp", Now - 60)),
        ["without an end"] = issuer => issuer.Token(changes: ("exp", null)),
        ["not valid yet"] = issuer => issuer.Token(changes: ("nbf", Now + 120)),
        ["for another audience"] = issuer => issuer.Token(changes: ("aud", "other-service")),
        ["for nobody"] = issuer => issuer.Token(changes: ("aud", null)),
        ["of another issuer"] = issuer => issuer.Token(changes: ("iss", "https://login.example.com/")),
        ["of no issuer"] = issuer => issuer.Token(changes: ("iss", null)),
        ["of nearly the issuer"] = issuer => issuer.Token(changes: ("iss", issuer.Authority + "/")),
        ["for a service with a longer name"] = issuer => issuer.Token(changes: ("aud", Issuer.Audience + "-2")),
        ["for a list of other services"] = issuer => issuer.Token(changes: ("aud", Others)),
        ["not signed"] = issuer => issuer.Token("none"),
        ["signed with the public key"] = issuer => issuer.Token("HS256"),
        // RS256 by its XML name, which the library also accepts.
        ["signed by an algorithm that is not in the list"] = issuer => issuer.Token("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
        ["signed with a key that it brings along"] = issuer => issuer.TokenOfAnother(),
        ["signed by somebody else"] = issuer => WithSignature(issuer.Token(), 'x'),
        ["without its signature"] = issuer => issuer.Token()[..(issuer.Token().LastIndexOf('.') + 1)],
        ["with claims of another token"] = issuer => Mixed(issuer.Token(changes: ("scope", "loyalty ops")), issuer.Token()),
        ["of no client"] = issuer => issuer.Token(changes: [("client_id", null), ("sub", null)]),
        ["of a client with a strange name"] = issuer => issuer.Token(changes: [("client_id", "shop\n"), ("sub", null)]),
        ["of a client with an endless name"] = issuer => issuer.Token(changes: [("client_id", new string('x', 201)), ("sub", null)]),
        ["of a client without a name"] = issuer => issuer.Token(changes: [("client_id", ""), ("sub", "")]),
        ["no token"] = _ => "till-secret",
        ["empty"] = _ => "",
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task An_invalid_token_returns_401_without_a_reason(string what)
    {
        var answer = await SaleWith(Tokens[what](issuer)).IdentifyAsync();

        BadInputTests.AssertProblem(answer, 401, "unauthenticated");
        Assert.Equal("Bearer", answer.Headers.GetValueOrDefault("WWW-Authenticate", "Bearer"));
        Assert.Contains("no valid key and no valid token", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scope", "loyalty", 200, 403)]
    [InlineData("scope", "openid loyalty ops", 200, 200)]
    [InlineData("scp", "ops", 403, 200)]
    [InlineData("scope", "loyaltyops LOYALTY", 403, 403)]
    [InlineData("scope", null, 403, 403)]
    public async Task The_token_determines_the_scopes(string claim, string? scopes, int atLoyalty, int atOps)
    {
        var token = Issuer.Header(issuer.Token(changes: [("scope", null), (claim, scopes)]));

        Assert.Equal(
            (atLoyalty, atOps), ((await new Sale(app) { Headers = [token] }.IdentifyAsync()).Status, (await app.GetAsync("/ops/queue", token)).Status));
    }

    [Fact]
    public async Task Scopes_may_be_a_list() =>
        Assert.Equal(200, (await SaleWith(issuer.Token(changes: [("scope", null), ("scp", List)])).IdentifyAsync()).Status);

    [Fact]
    public async Task A_client_a_key_and_a_user_of_one_name_are_distinct()
    {
        var sale = new Sale(app);
        var key = await (sale with { Headers = [("X-Api-Key", "shop-secret")] }).IdentifyAsync();
        var client = await (sale with { Headers = [Issuer.Header(issuer.Token())] }).IdentifyAsync();
        var user = await (sale with { Headers = [Issuer.Header(issuer.Token(changes: ("client_id", null)))] }).IdentifyAsync();
        // Other claims that name a client. None is the key's name.
        var disguised = await (sale with { Headers = [Issuer.Header(issuer.Token(changes: [("client_id", null), ("azp", "shop")]))] }).IdentifyAsync();

        Assert.Equal(3, new[] { key.SessionId, client.SessionId, user.SessionId }.Distinct().Count());
        Assert.Equal(client.SessionId, disguised.SessionId);
        var others = sale with { SessionId = key.SessionId, Headers = [Issuer.Header(issuer.Token())] };
        BadInputTests.AssertProblem(await others.StatusAsync(), 404, "session_not_found");
        BadInputTests.AssertProblem(await others.FinalizeAsync(), 404, "session_not_found");
    }

    [Fact]
    public async Task A_token_client_and_a_key_of_one_name_have_separate_limits()
    {
        const string Path = "/loyalty/sessions/" + BadInputs.AnySession;
        await using var limited = await StartAsync(
            issuer, services => services.AddSingleton<TimeProvider>(new StandingClock()), ("RATE_LIMIT_IP_PER_MINUTE", "1"), ("RATE_LIMIT_CLIENTS", "jwt:shop:4,shop:2"));
        var client = Issuer.Header(issuer.Token());

        foreach (var (caller, limit) in new[] { (client, 4), (("X-Api-Key", "shop-secret"), 2) })
        {
            for (var number = 0; number < limit; number++)
                Assert.Equal(404, (await limited.GetAsync(Path, caller)).Status);
            Assert.Contains("from this client", (await limited.GetAsync(Path, caller)).Text, StringComparison.Ordinal);
        }

        // A user of that name is not a client and counts for its address.
        var user = Issuer.Header(issuer.Token(changes: ("client_id", null)));
        Assert.Equal(404, (await limited.GetAsync(Path, user)).Status);
        Assert.Contains("from this address", (await limited.GetAsync(Path, user)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_takes_precedence_over_a_token_even_if_wrong()
    {
        var token = Issuer.Header(issuer.Token());

        BadInputTests.AssertProblem(await (new Sale(app) { Headers = [token, ("X-Api-Key", "wrong")] }).IdentifyAsync(), 401, "unauthenticated");
        Assert.Equal(200, (await (new Sale(app) { Headers = [("Authorization", "Bearer wrong"), ("X-Api-Key", "shop-secret")] }).IdentifyAsync()).Status);
    }

    [Fact]
    public async Task Signing_keys_rotate_at_run_time_and_unknown_ids_do_not_force_a_fetch()
    {
        await using var rotating = await Issuer.StartAsync();
        await using var service = await StartAsync(rotating);
        var before = rotating.Token();
        Assert.Equal(200, (await new Sale(service) { Headers = [Issuer.Header(before)] }.IdentifyAsync()).Status);

        rotating.Rotate();
        await Eventually.GetAsync(
            () => new Sale(service) { Headers = [Issuer.Header(rotating.Token())] }.IdentifyAsync(), answer => answer.Status == 200, "the new key is known");
        Assert.Equal(200, (await new Sale(service) { Headers = [Issuer.Header(before)] }.IdentifyAsync()).Status);

        var asked = rotating.Asked;
        rotating.Rotate();
        for (var guess = 0; guess < 20; guess++)
            BadInputTests.AssertProblem(await new Sale(service) { Headers = [Issuer.Header(rotating.Token())] }.IdentifyAsync(), 401, "unauthenticated");
        Assert.InRange(rotating.Asked - asked, 0, 1);
    }

    [Fact]
    public async Task Until_the_authority_appears_tokens_get_503_and_keys_work()
    {
        await using var away = await Issuer.StartAsync();
        away.IsAway = true;
        var clock = new LeapingClock();
        await using var log = new CapturedLog();
        await using var service = await StartAsync(away, services =>
        {
            log.Capture(services);
            services.AddSingleton<TimeProvider>(clock);
        });
        var token = Issuer.Header(away.Token());

        var answer = await new Sale(service) { Headers = [token] }.IdentifyAsync();
        for (var more = 0; more < 20; more++)
            await new Sale(service) { Headers = [token] }.IdentifyAsync();

        BadInputTests.AssertProblem(answer, 503, "authority_unavailable");
        Assert.Equal("5", answer.Headers["Retry-After"]);
        // One fetch; the library retries a 503 once.
        Assert.InRange(away.Asked, 1, 2);
        Assert.Equal(200, (await new Sale(service) { Headers = [("X-Api-Key", "shop-secret")] }.IdentifyAsync()).Status);
        Assert.Equal(200, (await service.GetAsync("/health", token)).Status);
        Assert.Single(log.Lines, line => line.GetProperty("level").GetString() == "ERROR");

        away.IsAway = false;
        clock.Leap(Authority.Pause);
        Assert.Equal(200, (await new Sale(service) { Headers = [token] }.IdentifyAsync()).Status);

        // Known signing keys stay valid without the authority.
        away.IsAway = true;
        Assert.Equal(200, (await new Sale(service) { Headers = [token] }.IdentifyAsync()).Status);
    }

    [Fact]
    public async Task While_the_authority_hangs_few_callers_wait_and_others_fail_fast()
    {
        const int Others = 20;
        await using var hanging = await Issuer.StartAsync();
        hanging.Hold = new TaskCompletionSource();
        await using var service = await StartAsync(hanging);
        var token = Issuer.Header(hanging.Token());

        var waiting = Enumerable.Range(0, Authority.MaxWaiting + Others).Select(_ => service.GetAsync("/loyalty/sessions/" + BadInputs.AnySession, token)).ToList();
        for (var number = 0; number < Others; number++)
        {
            var told = await Task.WhenAny(waiting);
            waiting.Remove(told);
            BadInputTests.AssertProblem(await told, 503, "authority_unavailable");
        }

        Assert.Equal(200, (await new Sale(service) { Headers = [("X-Api-Key", "shop-secret")] }.IdentifyAsync()).Status);
        Assert.False(hanging.IsGivenUp);
        hanging.Hold.SetResult();
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(404, answer.Status));
        Assert.Equal(1, hanging.Asked);
    }

    [Fact]
    public async Task A_disconnected_caller_does_not_cancel_a_shared_fetch()
    {
        await using var slow = await Issuer.StartAsync();
        slow.Hold = new TaskCompletionSource();
        await using var service = await StartAsync(slow);
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/loyalty/sessions/" + BadInputs.AnySession);
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer made-up");
        var first = service.Http.SendAsync(request, leaving.Token);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(slow.Asked == 1), "the authority is asked");

        var second = service.GetAsync("/loyalty/sessions/" + BadInputs.AnySession, Issuer.Header(slow.Token()));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Eventually.BecomesTrueAsync(
            async () => (await Scrape.ReadAsync(service)).Text.Contains("/loyalty/sessions/{sessionId}", StringComparison.Ordinal), "the service has seen it leave");
        slow.Hold.SetResult();

        Assert.Equal(404, (await second).Status);
        Assert.False(slow.IsGivenUp);
    }

    [Fact]
    public async Task Unchecked_tokens_and_rate_limits_are_audited_as_such()
    {
        await using var away = await Issuer.StartAsync();
        away.IsAway = true;
        await using var service = await StartAsync(
            away, services => services.AddSingleton<TimeProvider>(new StandingClock()),
            ("API_KEYS", $"support:ops:{KeyHash.Of("ops-secret")},auditor:ops:{KeyHash.Of("auditor-secret")}"),
            ("RATE_LIMIT_IP_PER_MINUTE", "3"), ("RATE_LIMIT_CLIENTS", "support:1,auditor:0"));

        await service.GetAsync("/ops/queue", Issuer.Header(away.Token(changes: ("scope", "ops"))));
        await service.GetAsync("/ops/queue", ("X-Api-Key", "wrong"));
        await service.GetAsync("/ops/queue", ("X-Api-Key", "wrong"));
        Assert.Equal(429, (await service.GetAsync("/ops/queue", ("X-Api-Key", "wrong"))).Status);
        Assert.Equal(200, (await service.GetAsync("/ops/queue", ("X-Api-Key", "ops-secret"))).Status);
        Assert.Equal(429, (await service.GetAsync("/ops/jobs", ("X-Api-Key", "ops-secret"))).Status);

        var rows = await Eventually.GetAsync(
            async () => (await service.GetAsync("/ops/audit?action=ops.use", ("X-Api-Key", "auditor-secret"))).Json.GetProperty("actions").EnumerateArray()
                .Select(row => $"{row.GetProperty("client")} {row.GetProperty("target")} {row.GetProperty("outcome")}").Where(row => !row.StartsWith("auditor", StringComparison.Ordinal)).Order().ToList(),
            rows => rows.Count >= 5,
            "all is written");
        Assert.Equal(
            [
                "(unknown) GET /ops/queue authority_unavailable", "(unknown) GET /ops/queue rate_limited", "(unknown) GET /ops/queue unauthenticated",
                "support GET /ops/jobs rate_limited", "support GET /ops/queue accepted",
            ],
            rows);
    }

    /// <summary>The app, an issuer, and a key with the name of the issuer's client.</summary>
    public sealed class Running : IAsyncLifetime
    {
        internal Issuer Issuer { get; private set; } = null!;

        internal LoyaltyApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Issuer = await Issuer.StartAsync();
            App = await StartAsync(Issuer);
        }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            await Issuer.DisposeAsync();
        }
    }

    private Sale SaleWith(string token) => new(app) { Headers = [Issuer.Header(token)] };

    private static Task<LoyaltyApp> StartAsync(Issuer issuer, Action<IServiceCollection>? services = null, params (string Name, string Value)[] variables)
    {
        var all = new Dictionary<string, string?>
        {
            ["API_KEYS"] = $"shop:loyalty:{KeyHash.Of("shop-secret")}",
            ["JWT_AUTHORITY"] = issuer.Authority,
            ["JWT_AUDIENCE"] = Issuer.Audience,
        };
        foreach (var (name, value) in variables)
            all[name] = value;
        return LoyaltyApp.StartAsync(Backend.Sqlite, all, services: services);
    }

    private static string WithSignature(string token, char filler) => token[..(token.LastIndexOf('.') + 1)] + new string(filler, 342);

    private static string Mixed(string claims, string signature)
    {
        var (one, other) = (claims.Split('.'), signature.Split('.'));
        return $"{one[0]}.{one[1]}.{other[2]}";
    }

    /// <summary>Freezes the timestamps, so buckets do not refill. The time of day, which decides on tokens, runs on.</summary>
    private sealed class StandingClock : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }

    /// <summary>The real clock plus jumps.</summary>
    private sealed class LeapingClock : TimeProvider
    {
        private long leaps;

        public void Leap(TimeSpan by) => Interlocked.Add(ref leaps, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref leaps);
    }
}
