using System.Net;
using System.Security.Claims;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.Security;

/// <summary>Which accesses are audited: every operator's, and a bounded number of refused ones.</summary>
public sealed class OpsAccessTests : IDisposable
{
    private const string Route = "GET /ops/queue";

    private readonly FakeTimeProvider clock = new();
    private readonly Rows rows = new();
    private readonly OpsAccess access;

    public OpsAccessTests() =>
        access = new OpsAccess(new AuditTrail(rows, NullLogger<AuditTrail>.Instance), clock, NullLogger<OpsAccess>.Instance);

    public void Dispose() => access.Dispose();

    [Fact]
    public async Task A_flood_of_strangers_hides_no_operator_or_known_client()
    {
        for (var number = 0; number < OpsAccess.MaxRefusedAnHour + 100; number++)
            Note(Nobody, $"2001:db8:0:{number:x}::1", 401);
        for (var number = 0; number < 2 * OpsAccess.MaxRefusedAnHour; number++)
            Note(Support, $"10.0.{number / 250}.{number % 250}", 200);
        Note(Till, "192.0.2.1", 403);

        var written = await WrittenAsync();

        Assert.Equal(OpsAccess.MaxRefusedAnHour, written.Count(row => row.By.Client == Operator.Unknown));
        Assert.Equal(2 * OpsAccess.MaxRefusedAnHour, written.Count(row => row is { By.Client: "support", Outcome: AuditEntry.Accepted }));
        Assert.Single(written, row => row is { By.Client: "till", Outcome: "forbidden" });
    }

    [Fact]
    public async Task Refused_rows_are_limited_per_address_or_IPv6_slash_64()
    {
        for (var number = 0; number < 10 * OpsAccess.MaxRefusedOfOne; number++)
            Note(Nobody, $"2001:db8:1:2::{number:x}", 401, $"GET /ops/{number}");
        for (var number = 0; number < 10; number++)
            Note(Nobody, $"2001:db8:1:3::{number:x}", 401);

        var written = await WrittenAsync();

        Assert.Equal(OpsAccess.MaxRefusedOfOne, written.Count(row => row.By.Source.StartsWith("2001:db8:1:2:", StringComparison.Ordinal)));
        Assert.Equal("2001:db8:1:3::", Assert.Single(written, row => row.Target == Route).By.Source);
    }

    [Fact]
    public async Task Refused_rows_are_limited_per_client_across_addresses()
    {
        for (var number = 0; number < 2 * OpsAccess.MaxRefusedOfOne; number++)
            Note(Till, $"192.0.2.{number}", 403);

        Assert.Equal(OpsAccess.MaxRefusedOfOne, (await WrittenAsync()).Count);
    }

    [Fact]
    public async Task The_same_access_is_audited_again_after_an_hour()
    {
        Note(Nobody, "192.0.2.1", 401);
        Note(Support, "192.0.2.1", 200);
        clock.Advance(TimeSpan.FromMinutes(59));
        Note(Nobody, "192.0.2.1", 401);
        Note(Support, "192.0.2.1", 200);
        clock.Advance(TimeSpan.FromMinutes(1));
        Note(Nobody, "192.0.2.1", 401);
        Note(Support, "192.0.2.1", 200);

        Assert.Equal(4, (await WrittenAsync()).Count);
    }

    [Theory]
    [InlineData(null, 401, "unauthenticated")]
    [InlineData(null, 429, "rate_limited")]
    [InlineData(null, 503, "authority_unavailable")]
    // Disconnected before the decision.
    [InlineData(null, 200, "unauthenticated")]
    [InlineData("loyalty", 403, "forbidden")]
    [InlineData("loyalty", 429, "rate_limited")]
    [InlineData("ops", 429, "rate_limited")]
    [InlineData("ops", 200, "accepted")]
    // The route returned an error; access was granted.
    [InlineData("ops", 404, "accepted")]
    [InlineData("ops", 503, "accepted")]
    public async Task The_row_has_the_outcome(string? scope, int status, string outcome)
    {
        Note(scope switch { "ops" => Support, "loyalty" => Till, _ => Nobody }, "192.0.2.1", status);

        Assert.Equal(outcome, Assert.Single(await WrittenAsync()).Outcome);
    }

    private static ClaimsPrincipal Nobody => new();

    private static ClaimsPrincipal Till => new(Caller.Identity("ApiKey", "till", null, ApiScopes.Loyalty));

    private static ClaimsPrincipal Support => new(Caller.Identity("ApiKey", "support", null, ApiScopes.Ops));

    private void Note(ClaimsPrincipal caller, string address, int status, string route = Route) => access.Note(
        new DefaultHttpContext { User = caller, Connection = { RemoteIpAddress = IPAddress.Parse(address) }, Response = { StatusCode = status } }, route);

    private async Task<IReadOnlyList<AuditEntry>> WrittenAsync()
    {
        await access.StartAsync(CancellationToken.None);
        await rows.First.WaitAsync(TimeSpan.FromSeconds(60));
        await access.StopAsync(CancellationToken.None);
        return rows.Written;
    }

    private sealed class Rows : IAuditStore
    {
        private readonly TaskCompletionSource first = new();

        /// <summary>Disposes the audit, which writes the queued rows first.</summary>
        public Task First => first.Task;

        public List<AuditEntry> Written { get; } = [];

        public Task WriteAsync(AuditEntry entry, CancellationToken cancellationToken)
        {
            Written.Add(entry);
            first.TrySetResult();
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<AuditRow>> ListAsync(int limit, PageCursor? after, string? client, string? action, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<int> ForgetAsync(TimeSpan keep, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
