using System.Text;
using LoyaltyService.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>Every route, called by every kind of caller. The routes come from the running service, so new ones are included.</summary>
public sealed class AuthorizationMatrixTests(AuthorizationMatrixTests.Running running) : IClassFixture<AuthorizationMatrixTests.Running>
{
    private readonly LoyaltyApp app = running.App;

    // Exactly these paths and none below them, so a new one must be added here.
    private static readonly string[] Open =
    [
        "/docs/{documentName?}", "/docs/favicon.svg", "/docs/scalar.js", "/docs/scalar.aspnetcore.js", "/health/", "/health/live", "/health/ready", "/metrics", "/openapi/{documentName}.json",
    ];

    [Fact]
    public async Task Every_route_serves_only_the_callers_of_its_path()
    {
        var routes = app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.RoutePattern.RawText != Running.Forgotten).ToList();
        Assert.True(routes.Count > 20, "There are no routes.");

        Assert.Empty(Open.Except(routes.Select(route => route.RoutePattern.RawText!)));
        var wrong = new List<string>();
        foreach (var route in routes)
        {
            foreach (var method in route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                foreach (var (caller, headers, scopes) in Callers())
                {
                    var expected = Rule(route.RoutePattern.RawText!, scopes);
                    var status = (await CallAsync(method, PathOf(route), headers)).Status;
                    var seen = status is 401 or 403 ? status : 200;
                    if (seen != expected)
                        wrong.Add($"{method} {route.RoutePattern.RawText} answers {caller} with {status} and should with {expected}.");
                }
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task A_route_without_a_policy_refuses_all_callers()
    {
        Assert.Equal(401, (await CallAsync("GET", Running.Forgotten, [])).Status);
        Assert.Equal(403, (await CallAsync("GET", Running.Forgotten, [("X-Api-Key", "both-secret")])).Status);
    }

    [Fact]
    public async Task An_unknown_path_returns_404_to_every_caller()
    {
        Assert.Equal((404, "not_found"), Of(await CallAsync("GET", "/nothing", [])));
        Assert.Equal((405, "method_not_allowed"), Of(await CallAsync("DELETE", "/loyalty/identify", [])));
    }

    [Theory]
    [InlineData("/docs")]
    [InlineData("/openapi/v1.json")]
    public async Task In_production_only_operators_read_the_reference(string path)
    {
        await using var production = await LoyaltyApp.StartAsync(
            Backend.Sqlite, new() { ["NODE_ENV"] = "production", ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till-secret")},operator:ops:{KeyHash.Of("ops-secret")}" });

        Assert.Equal(401, (await production.GetAsync(path)).Status);
        Assert.Equal(403, (await production.GetAsync(path, ("X-Api-Key", "till-secret"))).Status);
        Assert.Equal(200, (await production.GetAsync(path, ("X-Api-Key", "ops-secret"))).Status);
    }

    /// <summary>Decides by the path alone, to catch a missing or misplaced policy.</summary>
    private static int Rule(string path, string? scopes)
    {
        if (Open.Contains(path))
            return 200;
        var needed = path.TrimStart('/').Split('/')[0] == "loyalty" ? "loyalty" : "ops";
        return scopes is null ? 401 : scopes.Contains(needed, StringComparison.Ordinal) ? 200 : 403;
    }

    private IEnumerable<(string Name, (string, string)[] Headers, string? Scopes)> Callers()
    {
        yield return ("nobody", [], null);
        yield return ("a wrong key", [("X-Api-Key", "wrong")], null);
        yield return ("a till's key", [("X-Api-Key", "till-secret")], "loyalty");
        yield return ("an operator's key", [("X-Api-Key", "ops-secret")], "ops");
        yield return ("a key for both", [("X-Api-Key", "both-secret")], "loyalty ops");
        yield return ("an expired token", [Issuer.Header(running.Issuer.Token(changes: [("scope", "loyalty ops"), ("exp", 1)]))], null);
        yield return ("a token without scopes", [Issuer.Header(running.Issuer.Token(changes: ("scope", null)))], "");
        yield return ("a till's token", [Issuer.Header(running.Issuer.Token())], "loyalty");
        yield return ("an operator's token", [Issuer.Header(running.Issuer.Token(changes: ("scope", "ops")))], "ops");
    }

    private async Task<Answer> CallAsync(string method, string path, (string, string)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method is "POST" or "PUT")
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        return await app.SendAsync(request, headers);
    }

    // An unknown job, so that none runs.
    private static string PathOf(RouteEndpoint route) => "/" + string.Join('/', route.RoutePattern.PathSegments.Select(
        segment => string.Concat(segment.Parts.Select(part => part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content
            : part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Name: "documentName" } ? "v1" : "none"))));

    private static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);

    /// <summary>An app with keys and tokens, and a route without a policy.</summary>
    public sealed class Running : IAsyncLifetime
    {
        internal const string Forgotten = "/forgotten";

        internal Issuer Issuer { get; private set; } = null!;

        internal LoyaltyApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Issuer = await Issuer.StartAsync();
            App = await LoyaltyApp.StartAsync(Backend.Sqlite, map: static app => app.MapGet(Forgotten, () => "forgotten"), variables: new()
            {
                ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till-secret")},operator:ops:{KeyHash.Of("ops-secret")},both:loyalty+ops:{KeyHash.Of("both-secret")}",
                ["JWT_AUTHORITY"] = Issuer.Authority,
                ["JWT_AUDIENCE"] = Issuer.Audience,
            });
        }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            await Issuer.DisposeAsync();
        }
    }
}
