using System.Diagnostics;
using LoyaltyService.Idempotency;
using LoyaltyService.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>The answers to identify while PDI's is pending, and to a late retry.</summary>
public abstract class IdentifyAnswerTests(Backend backend)
{
    private static readonly TimeSpan RepeatWait = TimeSpan.FromMilliseconds(300);

    [Fact]
    public async Task A_retry_waits_for_the_first_call_and_then_gets_409()
    {
        await using var app = await StartAsync();
        await app.Pdi.FaultAsync("identify", new { kind = "hang", count = 1 });
        var sale = new Sale(app);
        var first = sale.IdentifyAsync();
        await app.Pdi.IsAskedAsync("identify", 1);

        var started = Stopwatch.GetTimestamp();
        var again = await sale.IdentifyAsync();
        var waited = Stopwatch.GetElapsedTime(started);
        await app.Pdi.HealAsync();

        Assert.Equal((409, "operation_in_progress"), (again.Status, again.Code));
        Assert.Equal(again.SessionId, (await first).SessionId);
        Assert.InRange(int.Parse(again.Headers["Retry-After"]), 1, 60);
        Assert.False(again.IsReplay);
        Assert.True(waited >= RepeatWait, $"It waited {waited.TotalMilliseconds} ms.");
    }

    [Fact]
    public async Task A_waiting_session_says_where_and_when_to_poll()
    {
        await using var app = await StartAsync();
        await app.Pdi.OutageAsync();

        var answer = await new Sale(app).IdentifyAsync();

        Assert.Equal((202, "pending"), (answer.Status, answer.Json.GetProperty("status").GetString()));
        Assert.Equal("/loyalty/sessions/" + answer.SessionId, answer.Headers["Location"]);
        Assert.InRange(int.Parse(answer.Headers["Retry-After"]), 1, 60);
        Assert.Equal(["sessionId", "status", "version", "expiresAt"], answer.Json.EnumerateObject().Select(member => member.Name));
        Assert.Equal(answer.SessionId, (await app.GetAsync(answer.Headers["Location"])).SessionId);
    }

    [Fact]
    public async Task A_refusal_replayed_from_the_row_has_the_same_bytes()
    {
        await using var app = await StartAsync();
        var sale = new Sale(app) { CustomerId = "CUST-NOBODY" };
        var first = await sale.IdentifyAsync();
        await app.StopAsync();
        // A new service with an empty cache.
        await using var next = await LoyaltyApp.StartAsync(backend, new() { ["REDIS_URL"] = "memory:" }, app.Database, app.Pdi);

        var again = await (sale with { App = next }).IdentifyAsync();

        Assert.Equal((400, "pdi_rejected", false), (first.Status, first.Code, first.IsReplay));
        Assert.Equal((400, first.Text, true), (again.Status, again.Text, again.IsReplay));
        Assert.Equal(1, await app.Pdi.CallsAsync("identify"));
    }

    [Fact]
    public async Task A_session_has_exactly_its_documented_members()
    {
        await using var app = await StartAsync();
        var transaction = "TXN-" + Guid.NewGuid().ToString("N");
        var identified = await app.PostAsync("/loyalty/identify", new { customerId = "CUST-12345", channelId = "POS-001", transactionId = transaction, storeId = "STORE-7" });
        var sale = new Sale(app) { TransactionId = transaction, SessionId = identified.SessionId };

        var open = await sale.StatusAsync();
        var receipt = (await sale.FinalizeAsync()).Json.GetProperty("receiptId").GetString();
        var closed = await sale.StatusAsync();

        var (created, expires) = (Time(open, "createdAt"), Time(open, "expiresAt"));
        Assert.Equal(
            $$"""{"sessionId":"{{sale.SessionId}}","status":"active","customerId":"CUST-12345","channelId":"POS-001","transactionId":"{{transaction}}","storeId":"STORE-7","earnedPoints":0,"redeemedPoints":0,"createdAt":"{{created}}","expiresAt":"{{expires}}","finalizedAt":null,"version":2}""",
            open.Text);
        Assert.Equal(
            $$"""{"sessionId":"{{sale.SessionId}}","status":"finalized","customerId":"CUST-12345","channelId":"POS-001","transactionId":"{{transaction}}","storeId":"STORE-7","earnedPoints":450,"redeemedPoints":0,"newBalance":5450,"receiptId":"{{receipt}}","createdAt":"{{created}}","expiresAt":"{{expires}}","finalizedAt":"{{Time(closed, "finalizedAt")}}","version":4}""",
            closed.Text);
    }

    private static string Time(Answer answer, string member)
    {
        var time = answer.Json.GetProperty(member).GetString()!;
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$", time);
        return time;
    }

    private Task<LoyaltyApp> StartAsync() => LoyaltyApp.StartAsync(
        backend, services: static services => services.AddSingleton(new RepeatLimits { Wait = RepeatWait }));
}

public sealed class IdentifyAnswerOnPostgresTests() : IdentifyAnswerTests(Backend.Postgres);

public sealed class IdentifyAnswerOnSqliteTests() : IdentifyAnswerTests(Backend.Sqlite);
