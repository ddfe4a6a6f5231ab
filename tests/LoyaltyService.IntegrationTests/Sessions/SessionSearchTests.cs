using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Jobs;
using LoyaltyService.IntegrationTests.Loyalty;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>The operators' search for sessions.</summary>
public abstract class SessionSearchTests(Backend backend) : IAsyncLifetime
{
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Search_finds_live_and_archived_sessions_by_every_filter()
    {
        var old = await SoldAsync("CUST-GOLD");
        await app.MakeOlderAsync(TimeSpan.FromDays(32));
        await app.RunJobAsync("archive-sessions");
        var open = await (new Sale(app) { CustomerId = "CUST-GOLD" }).IdentifiedAsync();
        var sold = await SoldAsync("CUST-SILVER");

        Assert.Equal<string[]>([open.SessionId, old.SessionId], await FindAsync("customerId=CUST-GOLD"));
        Assert.Equal<string[]>([old.SessionId], await FindAsync($"transactionId={old.TransactionId}"));
        Assert.Empty(await FindAsync($"transactionId={old.TransactionId}&customerId=CUST-SILVER"));
        Assert.Equal<string[]>([sold.SessionId, old.SessionId], await FindAsync("status=finalized"));
        Assert.Equal<string[]>([sold.SessionId, open.SessionId], await FindAsync($"from={Yesterday()}"));
        Assert.Equal<string[]>([old.SessionId], await FindAsync($"to={Yesterday()}"));
        Assert.Equal<string[]>([sold.SessionId, open.SessionId, old.SessionId], await FindAsync(""));

        var archived = (await app.GetAsync($"/ops/sessions?transactionId={old.TransactionId}")).Json.GetProperty("sessions")[0];
        Assert.Equal(("finalized", 450), (archived.GetProperty("status").GetString(), archived.GetProperty("earnedPoints").GetInt32()));
        Assert.True(archived.TryGetProperty("archivedAt", out _));
    }

    [Fact]
    public async Task Paging_has_no_gaps_or_duplicates_while_sessions_arrive()
    {
        var sales = new List<string>();
        for (var number = 0; number < 5; number++)
            sales.Insert(0, (await new Sale(app).IdentifiedAsync()).SessionId);

        var seen = new List<string>();
        string? next = null;
        do
        {
            var page = await app.GetAsync($"/ops/sessions?limit=2{(next is null ? "" : $"&after={next}")}");
            seen.AddRange(page.Json.GetProperty("sessions").EnumerateArray().Select(item => item.GetProperty("sessionId").GetString()!));
            next = page.Json.TryGetProperty("next", out var cursor) ? cursor.GetString() : null;
            await new Sale(app).IdentifiedAsync();
        }
        while (next is not null);

        Assert.Equal(sales, seen);
    }

    [Fact]
    public async Task A_timeline_covers_sessions_of_any_client_archived_or_not()
    {
        var sale = await SoldAsync("CUST-GOLD");
        var before = await app.GetAsync($"/ops/sessions/{sale.SessionId}/events");
        await app.MakeOlderAsync(TimeSpan.FromDays(32));
        await app.RunJobAsync("archive-sessions");

        var after = await app.GetAsync($"/ops/sessions/{sale.SessionId}/events");

        Assert.Equal(
            ["created", "identified", "finalize_requested", "finalized"],
            before.Json.GetProperty("events").EnumerateArray().Select(entry => entry.GetProperty("event").GetString()));
        Assert.Equal((200, before.Text), (after.Status, after.Text));
        Assert.Equal((404, "session_not_found"), Of(await app.GetAsync("/ops/sessions/sess_x/events")));
    }

    [Fact]
    public async Task An_invalid_query_is_refused_and_names_the_parameter()
    {
        var refused = await app.GetAsync("/ops/sessions?customerId=a%20b&transactionId=&status=lost&from=yesterday&to=x&limit=201&after=!");

        Assert.Equal((400, "validation_failed"), Of(refused));
        Assert.Equal(
            ["after", "customerId", "from", "limit", "status", "to", "transactionId"],
            refused.Json.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("field").GetString()).Order());
    }

    private async Task<Sale> SoldAsync(string customer)
    {
        var sale = await (new Sale(app) { CustomerId = customer }).IdentifiedAsync();
        Assert.Equal(200, (await sale.FinalizeAsync()).Status);
        return sale;
    }

    private async Task<string[]> FindAsync(string query)
    {
        var answer = await app.GetAsync("/ops/sessions?" + query);
        Assert.True(answer.Status == 200, answer.Text);
        return [.. answer.Json.GetProperty("sessions").EnumerateArray().Select(Id)];
    }

    private static string Id(JsonElement session) => session.GetProperty("sessionId").GetString()!;

    private static string Yesterday() => Uri.EscapeDataString(TimeProvider.System.GetUtcNow().AddDays(-1).ToString("O"));

    private static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);
}

public sealed class SessionSearchOnPostgresTests() : SessionSearchTests(Backend.Postgres);

public sealed class SessionSearchOnSqliteTests() : SessionSearchTests(Backend.Sqlite);
