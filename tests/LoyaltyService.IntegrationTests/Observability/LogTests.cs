using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>The log of a service from its first line to its last.</summary>
public sealed class LogTests : IAsyncLifetime
{
    // The hash in API_KEYS is that of the text "not a secret".
    private const string Key = "not a secret";
    private const string RedisPassword = "redis-pass-4711";

    private readonly CapturedLog log = new();
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await StartAsync("debug");

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Every_business_operation_logs_one_final_line()
    {
        var sale = await new Sale(app) { CustomerId = "CUST-GOLD", Headers = [("X-Api-Key", Key)] }.IdentifiedAsync();
        await sale.CalculateAsync();
        await sale.FinalizeAsync();
        await sale.FinalizeAsync(151m);
        await sale.StatusAsync();
        await app.StopAsync();

        Assert.Equal(
            [
                ("INFO", "IdentifyCustomer", "Customer identified", "identify", "200", null),
                ("INFO", "CalculateRewards", "Rewards calculated", "calculate", "200", 450),
                ("INFO", "FinalizeSession", "Session finalized successfully", "finalize", "200", 450),
                ("WARN", "FinalizeSession", "Finalize rejected", "finalize", "idempotency_key_reused", 450),
                ("DEBUG", "GetSessionStatus", "Session read", "getSessionStatus", "200", 450),
            ],
            Operations().Select(line => (Text(line, "level"), Text(line, "context"), Text(line, "message"), Text(line, "operation"), Text(line, "outcome"), Number(line, "earnedPoints"))));
        Assert.All(Operations(), line =>
        {
            Assert.Equal((sale.SessionId, "CUST-GOLD", "loyalty-service"), (Text(line, "sessionId"), Text(line, "customerId"), Text(line, "service")));
            Assert.InRange(line.GetProperty("duration").GetInt64(), 0, 60_000);
            Assert.Matches("^[0-9a-f]{32}$", Text(line, "traceId"));
            Assert.Matches("^[0-9a-f]{16}$", Text(line, "spanId"));
        });
    }

    [Fact]
    public async Task Log_line_and_answer_have_the_same_trace()
    {
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        var sale = new Sale(app) { Headers = [("X-Api-Key", Key), ("traceparent", $"00-{Trace}-b7ad6b7169203331-01")] };

        var answer = await sale.IdentifyAsync();
        await app.StopAsync();

        Assert.Equal((Trace, Trace), (answer.Headers["X-Request-Id"], Text(Assert.Single(Operations()), "traceId")));
    }

    [Fact]
    public async Task Refusals_outages_and_defects_log_one_final_line_with_the_reason()
    {
        var sale = await new Sale(app) { Headers = [("X-Api-Key", Key)] }.IdentifiedAsync();
        await (sale with { TransactionId = Guid.NewGuid().ToString("N"), CustomerId = "CUST-NOBODY" }).IdentifyAsync();
        await app.PostAsync("/loyalty/identify", "{}", ("X-Api-Key", Key));
        await app.Pdi.OutageAsync();
        await sale.FinalizeAsync();
        await app.Pdi.HealAsync();
        await app.Pdi.FaultAsync("all", new { kind = "expired-token" });
        await (sale with { TransactionId = Guid.NewGuid().ToString("N") }).IdentifyAsync();
        await app.StopAsync();

        var lines = Operations();
        Assert.Equal(
            [
                ("INFO", "Customer identified", "200"), ("WARN", "Identify rejected", "pdi_rejected"), ("WARN", "Identify rejected", "validation_failed"),
                ("WARN", "Finalize accepted, waiting for PDI", "202"), ("ERROR", "Identify failed", "pdi_auth_failed"),
            ],
            lines.Select(line => (Text(line, "level"), Text(line, "message"), Text(line, "outcome"))));
        Assert.All([1, 3, 4], index => Assert.NotEqual("", Text(lines[index], "reason")));
        Assert.DoesNotContain(log.Lines, line => Text(line, "event") is "RequestFailed" or "RequestDefect");
    }

    [Fact]
    public async Task No_log_line_contains_secret_or_personal_data()
    {
        var sale = await new Sale(app) { CustomerId = "CUST-12345", Headers = [("X-Api-Key", Key)] }.IdentifiedAsync();
        await app.PostAsync(
            "/loyalty/identify",
            """{"customerId":"CUST-12345","channelId":"C1","transactionId":"T1","metadata":{"email":"till.guest@example.com"}}""",
            ("X-Api-Key", Key));
        await sale.CalculateAsync();
        await sale.FinalizeAsync();
        await (sale with { Headers = [("X-Api-Key", "wrong-secret-0815"), ("Authorization", "Bearer stolen-token-0815")] }).StatusAsync();
        await app.PostAsync("/loyalty/identify", """{"customerName":"John Doe"}""", ("X-Api-Key", Key));
        await app.Pdi.FaultAsync("identify", new { kind = "not-json", count = 1 });
        await (sale with { TransactionId = Guid.NewGuid().ToString("N") }).IdentifyAsync();
        await app.Pdi.FaultAsync("all", new { kind = "expired-token" });
        await (sale with { TransactionId = Guid.NewGuid().ToString("N") }).IdentifyAsync();
        await app.Pdi.HealAsync();
        await app.Pdi.OutageAsync();
        await (sale with { TransactionId = Guid.NewGuid().ToString("N") }).IdentifyAsync();
        await app.StopAsync();
        await using var refused = await StartAsync("debug", new() { ["PDI_CLIENT_SECRET"] = "wrong-client-secret-0815", ["REDIS_URL"] = $"redis://user:{RedisPassword}@127.0.0.1:1" });
        await (sale with { App = refused, TransactionId = Guid.NewGuid().ToString("N") }).IdentifyAsync();
        await refused.StopAsync();

        Assert.True(log.Lines.Count > 10, log.Text);
        Assert.All(
            [
                Key, KeyHash.Of(Key), "simulator-secret", "wrong-client-secret-0815", "wrong-secret-0815", "stolen-token-0815", RedisPassword, "Bearer ", "John Doe",
                "example.com", "access_token",
            ],
            secret => Assert.DoesNotContain(secret, log.Text, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task An_operator_can_change_the_level_at_run_time()
    {
        var sale = await new Sale(app) { Headers = [("X-Api-Key", Key)] }.IdentifiedAsync();
        var answer = await ChangeLevelAsync("""{"level":"error"}""");
        await sale.StatusAsync();
        await ChangeLevelAsync("""{"level":"debug"}""");
        await sale.StatusAsync();
        await app.StopAsync();

        Assert.Equal((200, """{"level":"error"}"""), (answer.Status, answer.Text));
        Assert.Equal(["identify", "getSessionStatus"], Operations().Select(line => Text(line, "operation")));
        Assert.Equal(2, log.Lines.Count(line => Text(line, "event") == "LogLevelChanged"));
    }

    [Theory]
    [InlineData("""{"level":"loud"}""", Key, 400, "validation_failed")]
    [InlineData("""{}""", Key, 400, "validation_failed")]
    [InlineData("""{"level":"info"}""", "wrong", 401, "unauthenticated")]
    [InlineData("""{"level":"info"}""", "till", 403, "forbidden")]
    public async Task Only_operators_can_change_the_level_and_only_to_a_known_one(string body, string key, int status, string code)
    {
        var answer = await ChangeLevelAsync(body, key);

        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_framework_warning_has_the_usual_format()
    {
        await app.StopAsync();

        Assert.All(log.Lines, line => Assert.Equal(["timestamp", "level", "service", "context", "message"], line.EnumerateObject().Take(5).Select(member => member.Name)));
    }

    private Task<LoyaltyApp> StartAsync(string level, Dictionary<string, string?>? variables = null) => LoyaltyApp.StartAsync(
        Backend.Postgres,
        new Dictionary<string, string?>(variables ?? [])
        {
            ["LOG_LEVEL"] = level,
            // The second is the hash of "till".
            ["API_KEYS"] = $"support:loyalty+ops:{KeyHash.Of(Key)},till:loyalty:{KeyHash.Of("till")}",
        },
        services: services =>
        {
            log.Capture(services);
            services.AddSingleton(new PdiOptions { TokenFirstBackoff = TimeSpan.FromMilliseconds(1) });
        });

    private async Task<Answer> ChangeLevelAsync(string body, string key = Key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/ops/log-level") { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        return await app.SendAsync(request, ("X-Api-Key", key));
    }

    private List<JsonElement> Operations() => [.. log.Lines.Where(line => Text(line, "event") == "OperationEnded")];

    private static string Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString()! : "";

    private static long? Number(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetInt64() : null;
}
