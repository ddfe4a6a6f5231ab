using System.Text;
using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Jobs;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Security;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>The audit records who did what to what, when, from where, and the outcome.</summary>
public abstract class AuditTests(Backend backend) : IAsyncLifetime
{
    private const string Reason = "Given by hand, ticket 4711.";

    private static readonly (string, string)[] Operator = [("X-Api-Key", "ops-secret")];

    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(
        backend,
        new() { ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till-secret")},support:ops:{KeyHash.Of("ops-secret")}" },
        services: services => services
            .AddSingleton(new PdiOptions { MaxRetries = 1, FirstBackoff = TimeSpan.FromMilliseconds(1), BreakerFailureThreshold = int.MaxValue })
            .AddSingleton(new PdiWorkLimits { MaxAttempts = 1, Poll = TimeSpan.FromMilliseconds(50) }));

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Every_action_is_audited_with_outcome_reason_and_trace()
    {
        await app.Pdi.OutageAsync();
        var sale = await new Sale(app) { Headers = [("X-Api-Key", "till-secret")] }.IdentifiedAsync();
        await ParkedAsync(sale);
        await app.Pdi.HealAsync();

        var resolved = await PostAsync($"/ops/queue/{sale.SessionId}/resolve", new { reason = Reason });
        var again = await PostAsync($"/ops/queue/{sale.SessionId}/replay", "");
        await ChangeLevelAsync();

        Assert.Equal((200, 404), (resolved.Status, again.Status));
        var rows = (await ActionsAsync()).OrderBy(row => Text(row, "action"), StringComparer.Ordinal).ToList();
        Assert.Equal(
            [
                ("log-level.change", Environment.MachineName, "done", "warn"),
                ("queue.replay", sale.SessionId, "session_not_found", null),
                ("queue.resolve", sale.SessionId, "done", Reason),
            ],
            rows.Select(row => (Text(row, "action"), Text(row, "target"), Text(row, "outcome"), Text(row, "detail"))));
        Assert.All(rows, row => Assert.Equal(("support", "127.0.0.1"), (Text(row, "client"), Text(row, "source"))));
        Assert.Equal(resolved.Headers["X-Request-Id"], Text(rows[2], "traceId"));
        Assert.InRange(rows[2].GetProperty("at").GetDateTimeOffset(), TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddMinutes(1));
    }

    [Fact]
    public async Task Actions_are_audited_in_their_own_transaction()
    {
        await app.Pdi.OutageAsync();
        var sale = await new Sale(app) { Headers = [("X-Api-Key", "till-secret")] }.IdentifiedAsync();
        await ParkedAsync(sale);
        var finding = Guid.NewGuid();
        await app.Services.GetRequiredService<IReconciliationStore>().AddAsync(
            new Finding(finding, new DateOnly(2026, 1, 31), Guid.NewGuid(), FindingKinds.AmountsDiffer, "here", "there"), CancellationToken.None);
        var (begin, end) = (TimeProvider.System.GetUtcNow().AddDays(1), TimeProvider.System.GetUtcNow().AddDays(2));
        object announced = new { from = $"{begin:yyyy-MM-dd'T'HH:mm'Z'}", until = $"{end:yyyy-MM-dd'T'HH:mm'Z'}", reason = "first" };
        object more = new { from = $"{begin:yyyy-MM-dd'T'HH:mm'Z'}", until = $"{end.AddHours(1):yyyy-MM-dd'T'HH:mm'Z'}", reason = "second" };
        var window = (await PostAsync("/ops/maintenance", announced)).Json.GetProperty("id").GetString();
        var hours = $"{begin:yyyy-MM-dd HH:mm} to {end:yyyy-MM-dd HH:mm} UTC";
        Assert.Equal([("maintenance.announce", hours)], (await ActionsAsync()).Select(row => (Text(row, "action")!, Text(row, "target")!)));
        // If the audit row cannot be written, the action fails.
        await app.ExecuteAsync("alter table audit rename to audit_gone");

        Assert.Equal(500, (await PostAsync($"/ops/queue/{sale.SessionId}/replay", "")).Status);
        Assert.Equal(500, (await PostAsync($"/ops/reconciliation/{finding:N}/resolve", new { reason = Reason })).Status);
        Assert.Equal(500, (await PostAsync("/ops/jobs/clear-cache/run", "")).Status);
        Assert.Equal(500, (await PostAsync("/ops/maintenance", more)).Status);
        Assert.Equal(500, (await PostAsync($"/ops/maintenance/{window}/call-off", "")).Status);
        await app.ExecuteAsync("alter table audit_gone rename to audit");
        await app.Pdi.HealAsync();
        var windows = (await app.GetAsync("/ops/maintenance", Operator)).Json.GetProperty("windows").EnumerateArray();
        Assert.False(Assert.Single(windows).TryGetProperty("calledOffAt", out _));
        Assert.True((await app.GetAsync($"/ops/queue/{sale.SessionId}", Operator)).Json.TryGetProperty("parkedAt", out _));
        Assert.Equal(1, (await app.GetAsync("/ops/reconciliation?resolved=false", Operator)).Json.GetProperty("findings").GetArrayLength());
        Assert.DoesNotContain("\"byHand\":true", (await app.GetAsync("/ops/jobs", Operator)).Text, StringComparison.Ordinal);
        Assert.Single(await ActionsAsync());

        Assert.Equal(200, (await PostAsync($"/ops/queue/{sale.SessionId}/replay", "")).Status);
        Assert.Equal(200, (await PostAsync($"/ops/reconciliation/{finding:N}/resolve", new { reason = Reason })).Status);
        Assert.Equal(202, (await PostAsync("/ops/jobs/clear-cache/run", "")).Status);
        Assert.Equal(200, (await PostAsync($"/ops/maintenance/{window}/call-off", "")).Status);
        Assert.Equal(
            [("job.run", "clear-cache"), ("maintenance.announce", hours), ("maintenance.call-off", hours), ("queue.replay", sale.SessionId), ("reconciliation.resolve", $"{finding:N}")],
            (await ActionsAsync()).Select(row => (Text(row, "action")!, Text(row, "target")!)).Order());
    }

    [Fact]
    public async Task A_failed_audit_write_blocks_no_till_read_or_log_level_change()
    {
        await app.ExecuteAsync("alter table audit rename to audit_gone");

        Assert.Equal(200, (await new Sale(app) { Headers = [("X-Api-Key", "till-secret")] }.IdentifyAsync()).Status);
        Assert.Equal(200, (await app.GetAsync("/ops/queue", Operator)).Status);
        Assert.Equal(200, (await ChangeLevelAsync()).Status);
        Assert.Equal(200, (await app.GetAsync("/health/ready")).Status);

        // The failed rows are lost and logged; later ones are written.
        await app.ExecuteAsync("alter table audit_gone rename to audit");
        await app.GetAsync("/ops/jobs", Operator);
        await Eventually.BecomesTrueAsync(async () => (await RowsAsync("?action=ops.use")).Any(row => Text(row, "target") == "GET /ops/jobs"), "it is written again");
    }

    [Fact]
    public async Task Access_to_operator_routes_is_audited_once_an_hour_per_kind()
    {
        for (var times = 0; times < 3; times++)
        {
            await app.GetAsync("/ops/queue", Operator);
            await app.GetAsync("/ops/queue", ("X-Api-Key", "till-secret"));
            await app.GetAsync("/ops/queue", ("X-Api-Key", "wrong"));
            await app.GetAsync("/ops/sessions?customerId=CUST-12345", Operator);
        }

        var uses = await Eventually.GetAsync(() => RowsAsync("?action=ops.use"), rows => rows.Count >= 5, "every way is a row");
        Assert.Equal(
            [
                ("(unknown)", "GET /ops/queue", "unauthenticated"),
                ("support", "GET /ops/audit", "accepted"),
                ("support", "GET /ops/queue", "accepted"),
                ("support", "GET /ops/sessions", "accepted"),
                ("till", "GET /ops/queue", "forbidden"),
            ],
            uses.Select(row => (Text(row, "client")!, Text(row, "target")!, Text(row, "outcome")!)).Order());
        Assert.Single(await RowsAsync("?client=till"));
    }

    [Fact]
    public async Task The_list_is_paged_and_refuses_unknown_parameters()
    {
        var audit = app.Services.GetRequiredService<IAuditStore>();
        for (var number = 0; number < 5; number++)
            await audit.WriteAsync(new AuditEntry(new LoyaltyService.Security.Operator("jwt:console", "someone", "10.0.0.7"), JobEndpoints.RunJob, $"job-{number}"), CancellationToken.None);

        var seen = new List<string?>();
        for (string? next = ""; next is not null;)
        {
            var page = (await app.GetAsync("/ops/audit?action=job.run&limit=2" + next, Operator)).Json;
            seen.AddRange(page.GetProperty("actions").EnumerateArray().Select(row => Text(row, "target")));
            next = page.TryGetProperty("next", out var cursor) ? "&after=" + cursor.GetString() : null;
        }

        Assert.Equal(["job-0", "job-1", "job-2", "job-3", "job-4"], seen.Order());
        Assert.Equal(5, seen.Count);
        foreach (var query in new[] { "?limit=0", "?after=x", "?action=coffee", "?client=%00" })
            Assert.Equal(400, (await app.GetAsync("/ops/audit" + query, Operator)).Status);
        Assert.Equal(403, (await app.GetAsync("/ops/audit", ("X-Api-Key", "till-secret"))).Status);
    }

    [Fact]
    public async Task Rows_are_deleted_after_400_days()
    {
        var audit = app.Services.GetRequiredService<IAuditStore>();
        foreach (var (job, days) in new[] { ("old", 401), ("young", 399) })
        {
            await audit.WriteAsync(new AuditEntry(new LoyaltyService.Security.Operator("support", null, "10.0.0.7"), JobEndpoints.RunJob, job), CancellationToken.None);
            await app.ExecuteAsync($"update audit set at = at - {(backend is Backend.Sqlite ? $"{days} * 86400000" : $"interval '{days} days'")} where target = '{job}'");
        }

        await app.PostAsync("/ops/jobs/clear-cache/run", "", Operator);

        await Eventually.GetAsync(
            async () => string.Join(' ', (await ActionsAsync()).Select(row => Text(row, "target"))), rows => rows == "clear-cache young", "the old row is gone");
    }

    private async Task ParkedAsync(Sale sale) => await Eventually.BecomesTrueAsync(
        async () => (await app.GetAsync($"/ops/queue/{sale.SessionId}", Operator)) is { Status: 200 } item && item.Json.TryGetProperty("parkedAt", out _), "the sale is parked");

    private async Task<Answer> ChangeLevelAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/ops/log-level") { Content = new StringContent("""{"level":"warn"}""", Encoding.UTF8, "application/json") };
        return await app.SendAsync(request, Operator);
    }

    private Task<Answer> PostAsync(string path, object body) => app.PostAsync(path, body, Operator);

    /// <summary>Leaves out the access rows, one of which each tested route causes.</summary>
    private async Task<List<JsonElement>> ActionsAsync() => [.. (await RowsAsync("")).Where(row => Text(row, "action") != "ops.use")];

    private async Task<List<JsonElement>> RowsAsync(string query) =>
        [.. (await app.GetAsync("/ops/audit" + query, Operator)).Json.GetProperty("actions").EnumerateArray()];

    private static string? Text(JsonElement row, string member) => row.TryGetProperty(member, out var value) ? value.GetString() : null;
}

public sealed class AuditOnPostgresTests() : AuditTests(Backend.Postgres);

public sealed class AuditOnSqliteTests() : AuditTests(Backend.Sqlite);
