using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Pdi;

/// <summary>The operators' view of the PDI queue and their actions on it, over HTTP, on both back ends.</summary>
public abstract class QueueTests(Backend backend)
{
    private const string Reason = "Given by hand, ticket 4711.";

    private static readonly (string, string)[] Till = [("X-Api-Key", "till-secret")];
    private static readonly (string, string)[] OtherTill = [("X-Api-Key", "other-secret")];
    private static readonly (string, string)[] Operator = [("X-Api-Key", "ops-secret")];

    private readonly (string, string)[] Keyed = [("Idempotency-Key", Guid.NewGuid().ToString())];

    // Only a replay makes an item due again within a test, and the breaker never opens.
    private static readonly PdiWorkLimits Patient = new() { FirstPause = TimeSpan.FromHours(1), LongestPause = TimeSpan.FromHours(1) };
    private static readonly PdiWorkLimits ParksAtOnce = new() { MaxAttempts = 1 };

    private static readonly PdiOptions Unbroken = new()
    {
        MaxRetries = 1,
        FirstBackoff = TimeSpan.FromMilliseconds(1),
        BreakerFailureThreshold = int.MaxValue,
    };

    [Fact]
    public async Task A_waiting_sale_is_listed_and_a_replay_settles_it()
    {
        await using var app = await StartAsync(Patient);
        await OutageAsync(app);
        var sale = await new Sale(app).IdentifiedAsync();
        await AttemptedAsync(app, sale);

        var list = await app.GetAsync("/ops/queue");
        var item = await app.GetAsync($"/ops/queue/{sale.SessionId}");
        await app.Pdi.HealAsync();
        var replayed = await app.PostAsync($"/ops/queue/{sale.SessionId}/replay", "", Keyed);
        await StatusBecomesAsync(sale, "active");
        var repeated = await app.PostAsync($"/ops/queue/{sale.SessionId}/replay", "", Keyed);

        var listed = Assert.Single(list.Json.GetProperty("items").EnumerateArray());
        Assert.Equal(
            (sale.SessionId, "pending", "CUST-12345", "POS-001", sale.TransactionId, 1, false),
            (Text(listed, "sessionId"), Text(listed, "status"), Text(listed, "customerId"), Text(listed, "channelId"), Text(listed, "transactionId"),
                listed.GetProperty("attempts").GetInt32(), listed.GetProperty("inProgress").GetBoolean()));
        Assert.False(listed.TryGetProperty("parkedAt", out _));
        Assert.NotEmpty(Text(listed, "lastError")!);
        Assert.Equal((1, 0), (Count(list, "waiting"), Count(list, "parked")));
        Assert.Equal(["created"], item.Json.GetProperty("timeline").EnumerateArray().Select(entry => Text(entry, "event")));
        Assert.Equal((200, 0), (replayed.Status, replayed.Json.GetProperty("attempts").GetInt32()));
        Assert.Equal((200, replayed.Text, true), (repeated.Status, repeated.Text, repeated.IsReplay));
        Assert.Equal((404, "session_not_found"), Of(await app.GetAsync($"/ops/queue/{sale.SessionId}")));
        Assert.Equal((404, "session_not_found"), Of(await app.PostAsync($"/ops/queue/{sale.SessionId}/replay", "")));
    }

    [Fact]
    public async Task A_parked_sale_can_be_resolved_if_PDI_has_not_committed_it()
    {
        await using var app = await StartAsync(ParksAtOnce);
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.OutageAsync();
        var accepted = await sale.FinalizeAsync();
        var early = await ResolveAsync(app, sale);
        await ParkedAsync(app, sale);

        var list = await app.GetAsync("/ops/queue?parked=true");
        var blind = await ResolveAsync(app, sale);
        await app.Pdi.HealAsync();
        var resolved = await ResolveAsync(app, sale, Keyed);
        var repeated = await ResolveAsync(app, sale, Keyed);
        var other = await app.PostAsync($"/ops/queue/{sale.SessionId}/resolve", new { reason = "Another reason." }, Keyed);
        var again = await ResolveAsync(app, sale);
        var status = await sale.StatusAsync();
        var repeat = await sale.FinalizeAsync();

        Assert.Equal(202, accepted.Status);
        Assert.Equal((409, "invalid_state"), Of(early));
        Assert.Equal(sale.SessionId, Text(Assert.Single(list.Json.GetProperty("items").EnumerateArray()), "sessionId"));
        Assert.Equal((0, 1), (Count(list, "waiting"), Count(list, "parked")));
        Assert.Equal((503, "pdi_unavailable"), Of(blind));
        Assert.True(blind.Headers.ContainsKey("Retry-After"));
        Assert.Equal(200, resolved.Status);
        Assert.Equal($$$"""{"sessionId":"{{{sale.SessionId}}}","status":"failed","version":4,"failure":{"reason":"resolved","message":"{{{Reason}}}"}}""", resolved.Text);
        Assert.Equal((200, resolved.Text, true), (repeated.Status, repeated.Text, repeated.IsReplay));
        Assert.Equal((422, "idempotency_key_reused"), Of(other));
        Assert.Equal((404, "session_not_found"), Of(again));
        Assert.Equal(("failed", "resolved"), (Text(status.Json, "status"), Text(status.Json.GetProperty("failure"), "reason")));
        Assert.Equal((409, "invalid_state"), Of(repeat));
        Assert.Equal(5000, await app.Pdi.BalanceAsync("CUST-12345"));
    }

    [Fact]
    public async Task A_sale_that_PDI_committed_cannot_be_resolved_only_replayed()
    {
        await using var app = await StartAsync(ParksAtOnce);
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.FaultAsync("finalize", new { kind = "commit-then-status", status = 503 });
        await app.Pdi.FaultAsync("getSessionStatus", new { kind = "status", status = 503 });
        var accepted = await sale.FinalizeAsync();
        await ParkedAsync(app, sale);
        await app.Pdi.HealAsync();

        var refused = await ResolveAsync(app, sale);
        var before = await sale.StatusAsync();
        var replayed = await app.PostAsync($"/ops/queue/{sale.SessionId}/replay", "");
        await StatusBecomesAsync(sale, "finalized");
        var receipt = await sale.FinalizeAsync();

        Assert.Equal(202, accepted.Status);
        Assert.Equal((409, "invalid_state"), Of(refused));
        Assert.Contains("replay", Text(refused.Json, "detail"), StringComparison.Ordinal);
        Assert.Equal("finalizing", Text(before.Json, "status"));
        Assert.Equal(200, replayed.Status);
        Assert.Equal((200, 5450), (receipt.Status, receipt.Json.GetProperty("newBalance").GetInt64()));
        Assert.Equal(5450, await app.Pdi.BalanceAsync("CUST-12345"));
    }

    [Fact]
    public async Task Operators_see_all_clients_sales_and_tills_see_no_queue()
    {
        await using var app = await StartAsync(Patient, new() { ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till-secret")},other:loyalty:{KeyHash.Of("other-secret")},oncall:ops:{KeyHash.Of("ops-secret")}" });
        await OutageAsync(app, Till);
        var mine = await (new Sale(app) { Headers = Till }).IdentifiedAsync();
        var other = await (new Sale(app) { Headers = OtherTill }).IdentifiedAsync();

        var list = await app.GetAsync("/ops/queue", Operator);

        Assert.Equal(
            new[] { mine.SessionId, other.SessionId },
            list.Json.GetProperty("items").EnumerateArray().Select(item => Text(item, "sessionId")));
        Assert.Equal(200, (await app.GetAsync($"/ops/queue/{other.SessionId}", Operator)).Status);
        foreach (var path in new[] { "/ops/queue", $"/ops/queue/{mine.SessionId}" })
        {
            Assert.Equal((403, "forbidden"), Of(await app.GetAsync(path, Till)));
            Assert.Equal((401, "unauthenticated"), Of(await app.GetAsync(path)));
        }

        foreach (var path in new[] { $"/ops/queue/{mine.SessionId}/replay", $"/ops/queue/{mine.SessionId}/resolve" })
        {
            Assert.Equal((403, "forbidden"), Of(await app.PostAsync(path, new { reason = Reason }, Till)));
            Assert.Equal((401, "unauthenticated"), Of(await app.PostAsync(path, new { reason = Reason })));
        }
    }

    [Fact]
    public async Task The_queue_is_paged()
    {
        await using var app = await StartAsync(Patient);
        await OutageAsync(app);
        var sales = new List<string>();
        for (var count = 0; count < 3; count++)
            sales.Add((await new Sale(app).IdentifiedAsync()).SessionId);

        var first = await app.GetAsync("/ops/queue?limit=2");
        var second = await app.GetAsync($"/ops/queue?limit=2&after={Text(first.Json, "next")}");

        Assert.Equal(sales, first.Json.GetProperty("items").EnumerateArray().Concat(second.Json.GetProperty("items").EnumerateArray()).Select(item => Text(item, "sessionId")));
        Assert.False(second.Json.TryGetProperty("next", out _));
        Assert.Equal(3, Count(second, "waiting"));
        Assert.Empty((await app.GetAsync("/ops/queue?parked=true")).Json.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task An_invalid_request_is_refused_and_names_the_field()
    {
        await using var app = await StartAsync(Patient);

        foreach (var (query, field) in new[]
        {
            ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=", "limit"), ("limit=1&limit=2", "limit"), ("limit=-1", "limit"),
            ("after=x", "after"), ("after=", "after"), ("after=________________________________", "after"), ("parked=yes", "parked"), ("parked=", "parked"),
        })
        {
            var answer = await app.GetAsync("/ops/queue?" + query);
            Assert.Equal((400, "validation_failed"), Of(answer));
            Assert.Equal(field, Text(answer.Json.GetProperty("errors")[0], "field"));
        }

        foreach (var body in new[] { "{}", """{"reason":""}""", """{"reason":" "}""", """{"reason":"a\nb"}""", $$"""{"reason":"{{new string('x', 201)}}"}""" })
            Assert.Equal((400, "validation_failed"), Of(await app.PostAsync("/ops/queue/sess_x/resolve", body)));
        Assert.Equal((404, "session_not_found"), Of(await app.PostAsync("/ops/queue/sess_x/resolve", new { reason = Reason })));
        Assert.Equal((404, "session_not_found"), Of(await app.GetAsync("/ops/queue/sess_x")));
        Assert.Equal((404, "session_not_found"), Of(await app.PostAsync("/ops/queue/sess_00000000000040008000000000000000/replay", "")));
        var empty = await app.GetAsync("/ops/queue?limit=200");
        Assert.Equal("""{"items":[],"counts":{"waiting":0,"parked":0,"oldestAgeSeconds":0}}""", empty.Text);
    }

    private Task<LoyaltyApp> StartAsync(PdiWorkLimits limits, Dictionary<string, string?>? variables = null) => LoyaltyApp.StartAsync(
        backend, variables, services: services => services.AddSingleton(limits).AddSingleton(Unbroken));

    /// <summary>PDI goes down after the service got a token; without a token the service refuses an identify.</summary>
    private static async Task OutageAsync(LoyaltyApp app, params (string, string)[] headers)
    {
        await (new Sale(app) { Headers = headers }).IdentifiedAsync();
        await app.Pdi.OutageAsync();
    }

    private static Task<Answer> ResolveAsync(LoyaltyApp app, Sale sale, params (string, string)[] headers) =>
        app.PostAsync($"/ops/queue/{sale.SessionId}/resolve", new { reason = Reason }, headers);

    private static Task<Answer> AttemptedAsync(LoyaltyApp app, Sale sale) => Eventually.GetAsync(
        () => app.GetAsync($"/ops/queue/{sale.SessionId}"),
        item => item.Json.GetProperty("attempts").GetInt32() == 1 && !item.Json.GetProperty("inProgress").GetBoolean(),
        "the worker has tried once");

    /// <summary>Ends the intent's lease now instead of after 12 s. Its request has ended.</summary>
    private static async Task ParkedAsync(LoyaltyApp app, Sale sale)
    {
        const string EndLeases = "update pdi_work set lease_until = null";
        if (app.Services.GetService<PostgresDatabase>() is { } postgres)
            await postgres.ExecuteAsync(EndLeases, [], TestContext.Current.CancellationToken);
        else
            await app.Services.GetRequiredService<SqliteDatabase>().WriteAsync(connection => connection.Execute(EndLeases), TestContext.Current.CancellationToken);
        await Eventually.GetAsync(
            () => app.GetAsync($"/ops/queue/{sale.SessionId}"), item => item.Json.TryGetProperty("parkedAt", out _), "the item is parked");
    }

    private static Task<Answer> StatusBecomesAsync(Sale sale, string status) => Eventually.GetAsync(
        sale.StatusAsync, answer => Text(answer.Json, "status") == status, $"the session is {status}");

    private static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);

    private static string? Text(JsonElement json, string member) => json.GetProperty(member).GetString();

    private static int Count(Answer list, string member) => list.Json.GetProperty("counts").GetProperty(member).GetInt32();
}

public sealed class QueueOnPostgresTests() : QueueTests(Backend.Postgres);

public sealed class QueueOnSqliteTests() : QueueTests(Backend.Sqlite);
