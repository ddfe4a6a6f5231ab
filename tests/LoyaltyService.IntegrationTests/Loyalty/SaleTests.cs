using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>End-to-end sales over HTTP, on both back ends.</summary>
public abstract class SaleTests(Backend backend) : IAsyncLifetime
{
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_sample_sale_has_the_exact_figures()
    {
        var sale = new Sale(app) { TransactionId = "TXN-67890" };

        var identified = await app.PostAsync("/loyalty/identify", """{ "customerId": "CUST-12345", "channelId": "POS-001", "transactionId": "TXN-67890" }""");
        sale = sale with { SessionId = identified.SessionId };
        var calculated = await app.PostAsync("/loyalty/calculate-rewards",
            $$"""{ "sessionId": "{{sale.SessionId}}", "transactionAmount": 150.00, "items": [ { "sku": "SKU-001", "qty": 2 } ] }""");
        var finalized = await app.PostAsync("/loyalty/finalize",
            $$"""{ "sessionId": "{{sale.SessionId}}", "transactionId": "TXN-67890", "finalAmount": 150.00, "applyRewards": true }""");
        var status = await sale.StatusAsync();

        Assert.Equal(200, identified.Status);
        var expiresAt = identified.Json.GetProperty("expiresAt").GetString();
        Assert.Equal($$"""{"sessionId":"{{sale.SessionId}}","status":"active","customerName":"John Doe","currentPoints":5000,"tier":"Gold","version":2,"expiresAt":"{{expiresAt}}"}""", identified.Text);
        Assert.Equal(200, calculated.Status);
        Assert.Equal($$"""{"earnedPoints":450,"multiplier":3.0,"bonusPoints":150,"breakdown":{"basePoints":300,"tierBonus":150},"sessionId":"{{sale.SessionId}}","version":3,"source":"pdi"}""", calculated.Text);
        Assert.Equal(200, finalized.Status);
        var receipt = finalized.Json.GetProperty("receiptId").GetString();
        Assert.Matches("^RCP-[0-9]{4}-[0-9]{3,}$", receipt);
        Assert.Equal($$"""{"sessionId":"{{sale.SessionId}}","status":"finalized","earnedPoints":450,"newBalance":5450,"receiptId":"{{receipt}}","redeemedPoints":0,"version":5}""", finalized.Text);
        Assert.Equal("finalized", status.Json.GetProperty("status").GetString());
        Assert.Equal(5450, await app.Pdi.BalanceAsync("CUST-12345"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?sessionId=")]
    [InlineData("?sessionid")]
    public async Task A_status_request_without_a_session_names_the_missing_parameter(string query)
    {
        var answer = await app.GetAsync("/loyalty/getSessionStatus" + query);

        Assert.Equal((400, "validation_failed"), (answer.Status, answer.Code));
        Assert.Equal("sessionId", answer.Json.GetProperty("errors")[0].GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("\"2\"", 304)]
    [InlineData("W/\"2\"", 304)]
    [InlineData("\"1\", W/\"2\"", 304)]
    [InlineData("\"x\",\"2\" , \"3\"", 304)]
    [InlineData("*", 304)]
    [InlineData("\"1\"", 200)]
    [InlineData("W/\"1\", \"3\"", 200)]
    [InlineData("2", 200)]
    [InlineData("\"22\"", 200)]
    public async Task An_unchanged_session_is_not_sent_again(string ifNoneMatch, int status)
    {
        var sale = await new Sale(app).IdentifiedAsync();

        var answer = await app.GetAsync("/loyalty/sessions/" + sale.SessionId, ("If-None-Match", ifNoneMatch));

        Assert.Equal((status, "\"2\""), (answer.Status, answer.Headers["ETag"]));
        Assert.Equal(status == 304, answer.Text.Length == 0);
    }

    [Fact]
    public async Task A_session_survives_a_restart()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        var finalized = await sale.FinalizeAsync();
        await app.StopAsync();

        await using var next = await LoyaltyApp.StartAsync(backend, database: app.Database, pdi: app.Pdi);
        var status = await (sale with { App = next }).StatusAsync();
        var again = await (sale with { App = next }).FinalizeAsync();

        Assert.Equal("finalized", status.Json.GetProperty("status").GetString());
        Assert.Equal(finalized.Text, again.Text);
        Assert.True(again.IsReplay);
    }

    [Fact]
    public async Task Identifying_again_returns_the_same_bytes_in_any_status()
    {
        var sale = new Sale(app);
        var first = await sale.IdentifyAsync();
        var second = await sale.IdentifyAsync();
        sale = sale with { SessionId = first.SessionId };
        await sale.CalculateAsync();
        await sale.FinalizeAsync();

        var third = await sale.IdentifyAsync();

        Assert.False(first.IsReplay);
        Assert.Equal((200, first.Text, true), (second.Status, second.Text, second.IsReplay));
        Assert.Equal((200, first.Text, true), (third.Status, third.Text, third.IsReplay));
        Assert.Equal(1, await app.Pdi.CallsAsync("identify"));
    }

    [Fact]
    public async Task A_body_with_the_same_meaning_is_a_replay()
    {
        var transaction = Guid.NewGuid().ToString("N");
        var first = await app.PostAsync("/loyalty/identify", $$$"""{"customerId":"CUST-12345","channelId":"C1","transactionId":"{{{transaction}}}","metadata":{"a":1,"b":[2.50]}}""");
        var same = await app.PostAsync("/loyalty/identify", $$"""{ "metadata":{"b":[2.5], "a":1.0}, "transactionId":"{{transaction}}", "channelId":"\u00431", "customerId":"CUST-12345" }""");
        var other = await app.PostAsync("/loyalty/identify", $$$"""{"customerId":"CUST-GOLD","channelId":"C1","transactionId":"{{{transaction}}}","metadata":{"a":1,"b":[2.5]}}""");

        Assert.Equal((200, first.Text), (same.Status, same.Text));
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));
    }

    [Fact]
    public async Task A_hundred_concurrent_equal_identifies_open_one_session()
    {
        var sale = new Sale(app);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => sale.IdentifyAsync()));

        Assert.All(answers, answer => Assert.Equal((200, answers[0].Text), (answer.Status, answer.Text)));
        Assert.Equal(1, await app.Pdi.CallsAsync("identify"));
    }

    [Fact]
    public async Task A_hundred_concurrent_equal_finalizes_take_effect_once()
    {
        var sale = await (new Sale(app) { CustomerId = "CUST-SILVER" }).IdentifiedAsync();
        var before = await app.Pdi.BalanceAsync("CUST-SILVER");

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => sale.FinalizeAsync()));

        Assert.All(answers, answer => Assert.Equal((200, answers[0].Text), (answer.Status, answer.Text)));
        Assert.Equal(before + 375, await app.Pdi.BalanceAsync("CUST-SILVER"));
    }

    [Fact]
    public async Task A_finalize_with_a_different_amount_returns_422()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await sale.FinalizeAsync(150.00m);

        var other = await sale.FinalizeAsync(151.00m);

        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));
    }

    [Fact]
    public async Task A_customer_unknown_to_PDI_returns_a_stored_400()
    {
        var sale = new Sale(app) { CustomerId = "CUST-NOBODY" };

        var first = await sale.IdentifyAsync();
        var again = await sale.IdentifyAsync();
        var status = await (sale with { SessionId = first.SessionId }).StatusAsync();

        Assert.Equal((400, "pdi_rejected"), (first.Status, first.Code));
        Assert.Equal("UNKNOWN_CUSTOMER", first.Json.GetProperty("pdiCode").GetString());
        Assert.Equal((400, first.Text, true), (again.Status, again.Text, again.IsReplay));
        Assert.Equal("failed", status.Json.GetProperty("status").GetString());
        Assert.Equal("pdi_rejected", status.Json.GetProperty("failure").GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_refused_redemption_changes_nothing_and_can_be_corrected()
    {
        var sale = await (new Sale(app) { CustomerId = "CUST-BRONZE" }).IdentifiedAsync();
        var before = await app.Pdi.BalanceAsync("CUST-BRONZE");

        var refused = await sale.FinalizeAsync(redeemPoints: 99_999_999);
        var status = await sale.StatusAsync();
        var corrected = await sale.FinalizeAsync(redeemPoints: 100);

        Assert.Equal((400, "pdi_rejected", "INSUFFICIENT_POINTS"), (refused.Status, refused.Code, refused.Json.GetProperty("pdiCode").GetString()));
        Assert.Equal("pending_finalization", status.Json.GetProperty("status").GetString());
        Assert.Equal(200, corrected.Status);
        Assert.Equal(100, corrected.Json.GetProperty("redeemedPoints").GetInt64());
        Assert.Equal(before + 300 - 100, await app.Pdi.BalanceAsync("CUST-BRONZE"));
    }

    [Fact]
    public async Task A_sale_without_rewards_earns_nothing()
    {
        var sale = await (new Sale(app) { CustomerId = "CUST-PLATINUM" }).IdentifiedAsync();
        await sale.CalculateAsync();
        var before = await app.Pdi.BalanceAsync("CUST-PLATINUM");

        var finalized = await sale.FinalizeAsync(applyRewards: false);

        Assert.Equal((200, 0), (finalized.Status, finalized.Json.GetProperty("earnedPoints").GetInt64()));
        Assert.Equal(before, await app.Pdi.BalanceAsync("CUST-PLATINUM"));
    }

    [Fact]
    public async Task The_last_calculation_of_a_basket_wins()
    {
        var sale = await new Sale(app).IdentifiedAsync();

        await sale.CalculateAsync(150.00m);
        var last = await sale.CalculateAsync(10.99m);
        var status = await sale.StatusAsync();

        Assert.Equal(32, last.Json.GetProperty("earnedPoints").GetInt64());
        Assert.Equal(32, status.Json.GetProperty("earnedPoints").GetInt64());
        Assert.Equal("pending_finalization", status.Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_transaction_must_match_the_session()
    {
        var sale = await new Sale(app).IdentifiedAsync();

        var answer = await (sale with { TransactionId = "TXN-OTHER" }).FinalizeAsync();

        Assert.Equal((400, "transaction_mismatch"), (answer.Status, answer.Code));
        Assert.Equal("active", (await sale.StatusAsync()).Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_finalized_session_cannot_be_calculated()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await sale.FinalizeAsync();

        var answer = await sale.CalculateAsync();

        Assert.Equal((409, "invalid_state"), (answer.Status, answer.Code));
        Assert.Equal("finalized", answer.Json.GetProperty("currentStatus").GetString());
    }

    [Fact]
    public async Task A_stale_version_returns_409_in_the_body_and_412_in_the_header()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await sale.CalculateAsync();
        var body = new { sessionId = sale.SessionId, transactionId = sale.TransactionId, finalAmount = 150.00, applyRewards = true };

        var inBody = await app.PostAsync("/loyalty/finalize", new { sessionId = sale.SessionId, transactionId = sale.TransactionId, finalAmount = 150.00, applyRewards = true, version = 2 });
        var inHeader = await app.PostAsync("/loyalty/finalize", body, ("If-Match", "\"2\""));
        var malformed = await app.PostAsync("/loyalty/finalize", body, ("If-Match", "2"));
        var current = await app.PostAsync("/loyalty/finalize", body, ("If-Match", "\"3\""));

        Assert.Equal((409, "version_conflict", 3), (inBody.Status, inBody.Code, inBody.Json.GetProperty("currentVersion").GetInt32()));
        Assert.Equal((412, "version_conflict"), (inHeader.Status, inHeader.Code));
        Assert.Equal((400, "validation_failed"), (malformed.Status, malformed.Code));
        Assert.Equal((200, 5), (current.Status, current.Version));
    }

    [Fact]
    public async Task An_unchanged_session_returns_304()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        var status = await sale.StatusAsync();

        var unchanged = await app.GetAsync($"/loyalty/sessions/{sale.SessionId}", ("If-None-Match", status.Headers["ETag"]));
        await sale.CalculateAsync();
        var changed = await app.GetAsync($"/loyalty/getSessionStatus?sessionId={sale.SessionId}", ("If-None-Match", status.Headers["ETag"]));

        Assert.Equal("\"2\"", status.Headers["ETag"]);
        Assert.Equal((304, ""), (unchanged.Status, unchanged.Text));
        Assert.Equal((200, 3), (changed.Status, changed.Version));
    }

    [Theory]
    [InlineData("sess_00000000000040008000000000000000")]
    [InlineData("sess_x")]
    [InlineData("nonsense")]
    public async Task Every_route_returns_404_for_an_unknown_session(string sessionId)
    {
        var sale = new Sale(app) { SessionId = sessionId };

        Assert.Equal((404, "session_not_found"), Of(await sale.StatusAsync()));
        Assert.Equal((404, "session_not_found"), Of(await sale.CalculateAsync()));
        Assert.Equal((404, "session_not_found"), Of(await sale.FinalizeAsync()));

        static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);
    }

    [Fact]
    public async Task Every_answer_has_a_trace_id_and_continues_the_callers_trace()
    {
        const string TraceId = "0af7651916cd43dd8448eb211c80319c";
        var good = await app.PostAsync("/loyalty/identify", new Sale(app).IdentifyBody(), ("traceparent", $"00-{TraceId}-b7ad6b7169203331-01"));
        var bad = await app.PostAsync("/loyalty/identify", "{}", ("traceparent", $"00-{TraceId}-b7ad6b7169203331-01"));

        Assert.Equal(TraceId, good.Headers["X-Request-Id"]);
        Assert.Equal(TraceId, bad.Headers["X-Request-Id"]);
        Assert.Equal(TraceId, bad.Json.GetProperty("traceId").GetString());
    }
}

public sealed class SaleOnPostgresTests() : SaleTests(Backend.Postgres);

public sealed class SaleOnSqliteTests() : SaleTests(Backend.Sqlite);
