using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>Every answer has the security headers and reveals no software version.</summary>
public sealed class SecurityHeaderTests
{
    private static readonly string[] Banners = ["Server", "X-Powered-By", "X-AspNet-Version", "Via"];

    [Theory]
    [InlineData("development")]
    [InlineData("production")]
    public async Task Every_answer_has_security_headers_and_reveals_no_server(string environment)
    {
        await using var app = await StartAsync(environment);
        foreach (var path in new[] { "/health", "/metrics", "/nothing", "/loyalty/identify", "/loyalty/sessions/x", "/docs", "/openapi/v1.json", "/ops/queue" })
        {
            var answer = await app.GetAsync(path, ("X-Api-Key", "operator"));

            Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
            Assert.Equal("no-referrer", answer.Headers["Referrer-Policy"]);
            Assert.Equal("DENY", answer.Headers["X-Frame-Options"]);
            Assert.StartsWith("default-src 'none';", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.True(answer.Headers["Cache-Control"].Contains("no-store", StringComparison.Ordinal) || path == "/docs", path);
            Assert.All(Banners, banner => Assert.DoesNotContain(banner, answer.Headers.Keys));
            // Only where the connection is encrypted.
            Assert.DoesNotContain("Strict-Transport-Security", answer.Headers.Keys);
        }
    }

    [Fact]
    public async Task The_reference_page_may_load_its_own_resources()
    {
        await using var app = await StartAsync("development");

        var page = await app.GetAsync("/docs", ("X-Api-Key", "operator"));
        var script = await app.GetAsync("/docs/scalar.js", ("X-Api-Key", "operator"));

        Assert.Equal((200, 200), (page.Status, script.Status));
        foreach (var part in new[] { "script-src 'self' 'unsafe-inline'", "style-src 'self' 'unsafe-inline'", "connect-src 'self'" })
            Assert.Contains(part, page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        // The policy names no other host, and the page needs none.
        Assert.DoesNotContain("http", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("development")]
    [InlineData("test")]
    [InlineData("production")]
    public async Task An_internal_error_reveals_no_internals(string environment)
    {
        await using var app = await StartAsync(environment);
        await app.ExecuteAsync("alter table sessions rename to hush");

        var answer = await app.GetAsync("/loyalty/sessions/" + BadInputs.AnySession, ("X-Api-Key", "operator"), ("Accept", "text/html"));

        BadInputTests.AssertProblem(answer, 500, "internal_error");
        Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
        foreach (var inside in new[] { "Exception", "   at ", "hush", ".cs:", "SQLite", "table" })
            Assert.DoesNotContain(inside, answer.Text, StringComparison.Ordinal);
    }

    private static Task<LoyaltyApp> StartAsync(string environment) => LoyaltyApp.StartAsync(Backend.Sqlite, new()
    {
        ["NODE_ENV"] = environment,
        ["API_KEYS"] = $"operator:loyalty+ops:{KeyHash.Of("operator")}",
    });
}
