using System.Net.Http.Json;
using System.Text;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>
/// Runs a customer with a unique name, number and id through every operation. Then searches every byte of logs, traces and metrics for
/// them.
/// </summary>
public sealed class LeakTests
{
    private const string CustomerId = "CUST-WYRMWOOD-7731";
    private const string Words = "Reported by Zoe Quillfeather, +45 20 77 31 99.";

    private static readonly string[] Personal = ["Quillfeather", "77 31 99", "20773199", "gluten", "Zoe"];
    private static readonly string[] Secrets = ["till-secret-4711", "ops-secret-4711", "simulator-secret", "wrong-secret-0815", "Bearer ", KeyHash.Of("till-secret-4711"), "database-secret-4711", "redis-secret-4711", "smtp-secret-4711", "eyJ"];

    [Fact]
    public async Task Logs_traces_and_metrics_reveal_no_customer_or_credential()
    {
        await using var pdi = await Simulator.StartAsync();
        await NameCustomerAsync(pdi);
        await using var collector = await Collector.StartAsync();
        await using var log = new CapturedLog();
        await using var issuer = await Issuer.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres, migrate: false);
        await using var app = await StartAsync(pdi, collector, log, issuer, database);

        await SellAsync(app);
        await ShowTokensAsync(app, issuer);
        await RefuseAsync(app);
        await OperateAsync(app);
        var metrics = (await app.GetAsync("/metrics")).Text;
        await app.StopAsync();

        var traces = collector.Received(Encoding.UTF8);
        Assert.Contains("/loyalty/finalize", traces, StringComparison.Ordinal);
        Assert.Contains("sessions_finalized_count", metrics, StringComparison.Ordinal);
        Assert.True(log.Lines.Count > 15, log.Text);
        foreach (var text in Personal.Concat(Secrets))
        {
            Assert.DoesNotContain(text, log.Text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(text, traces, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(text, metrics, StringComparison.OrdinalIgnoreCase);
        }

        Assert.DoesNotContain(CustomerId, traces, StringComparison.Ordinal);
        Assert.DoesNotContain(CustomerId, metrics, StringComparison.Ordinal);
        var told = log.Lines.Where(line => line.GetRawText().Contains(CustomerId, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(told);
        // Only in its dedicated member: not in a message or under another name.
        Assert.All(told, line => Assert.Equal((CustomerId, 2), (line.GetProperty("customerId").GetString(), line.GetRawText().Split(CustomerId).Length)));
    }

    private static async Task SellAsync(LoyaltyApp app)
    {
        var sale = new Sale(app) { CustomerId = CustomerId, Headers = [("X-Api-Key", "till-secret-4711")] };
        var identified = await IdentifyAsync(sale, "+45 20773199");
        Assert.Contains("Quillfeather", identified.Text, StringComparison.Ordinal);
        sale = sale with { SessionId = identified.SessionId };
        await sale.CalculateAsync();
        Assert.Equal(200, (await sale.FinalizeAsync()).Status);
        await sale.FinalizeAsync();
        await sale.StatusAsync();
        await app.GetAsync("/loyalty/getSessionStatus?sessionId=" + sale.SessionId, sale.Headers);
        // The same transaction with other metadata.
        Assert.Equal(422, (await IdentifyAsync(sale, "+45 20 77 31 99")).Status);
    }

    /// <summary>A valid token, an expired one and an unreadable one.</summary>
    private static async Task ShowTokensAsync(LoyaltyApp app, Issuer issuer)
    {
        foreach (var (token, status) in new[] { (issuer.Token(), 404), (issuer.Token(changes: ("exp", 1)), 401), (issuer.Token() + "x", 401), ("eyJ.eyJ.", 401) })
            Assert.Equal(status, (await app.GetAsync("/loyalty/sessions/" + BadInputs.AnySession, Issuer.Header(token))).Status);
    }

    /// <summary>The same server by a URL with a password, which the server does not check.</summary>
    private static string WithPassword(string url, string user, string password)
    {
        var address = new Uri(url);
        return address.UserInfo.Contains(':') ? url : $"{address.Scheme}://{(address.UserInfo.Length > 0 ? address.UserInfo : user)}:{password}@{address.Authority}{address.PathAndQuery}";
    }

    private static async Task RefuseAsync(LoyaltyApp app)
    {
        var sale = new Sale(app) { CustomerId = CustomerId, Headers = [("X-Api-Key", "till-secret-4711")] };
        await app.PostAsync("/loyalty/identify", $$"""{"customerName":"{{Words}}","customerId":"Zoe Quillfeather"}""", sale.Headers);
        await app.PostAsync("/loyalty/identify", $$"""{"customerId":"{{Words}}" """, sale.Headers);
        await (sale with { Headers = [("X-Api-Key", "wrong-secret-0815")] }).IdentifyAsync();
        await app.GetAsync("/loyalty/getSessionStatus?sessionId=Zoe%20Quillfeather&phone=20773199", sale.Headers);
        await app.Pdi.FaultAsync("identify", new { kind = "not-json", count = 1 });
        await IdentifyAsync(sale with { TransactionId = "TXN-" + Guid.NewGuid().ToString("N") }, "gluten-free");
    }

    private static async Task OperateAsync(LoyaltyApp app)
    {
        (string, string)[] operators = [("X-Api-Key", "ops-secret-4711")];
        await app.Pdi.OutageAsync();
        var waiting = await IdentifyAsync(new Sale(app) { CustomerId = CustomerId, Headers = [("X-Api-Key", "till-secret-4711")] }, "20773199");
        await Eventually.BecomesTrueAsync(
            async () => (await app.GetAsync("/ops/queue/" + waiting.SessionId, operators)).Text.Contains("parkedAt", StringComparison.Ordinal), "the sale is parked");
        await app.Pdi.HealAsync();
        Assert.Equal(200, (await app.PostAsync($"/ops/queue/{waiting.SessionId}/resolve", new { reason = Words }, operators)).Status);
        Assert.Equal(200, (await app.GetAsync($"/ops/sessions?customerId={CustomerId}", operators)).Status);
        Assert.Contains("Quillfeather", (await app.GetAsync("/ops/audit?action=queue.resolve", operators)).Text, StringComparison.Ordinal);
    }

    private static Task<Answer> IdentifyAsync(Sale sale, string phone) => sale.App.PostAsync("/loyalty/identify", new
    {
        customerId = sale.CustomerId,
        channelId = "POS-001",
        transactionId = sale.TransactionId,
        metadata = new { phone, name = "Zoe Quillfeather", note = "gluten-free" },
    }, sale.Headers);

    // Before the collector starts: the tests' calls to the simulator's control interface are not the service's.
    private static async Task NameCustomerAsync(Simulator pdi)
    {
        using var http = new HttpClient { BaseAddress = pdi.Address };
        (await http.PutAsJsonAsync($"/_simulator/customers/{CustomerId}", new { customerName = "Zoe Quillfeather" })).EnsureSuccessStatusCode();
    }

    private static Task<LoyaltyApp> StartAsync(Simulator pdi, Collector collector, CapturedLog log, Issuer issuer, TestDatabase database) => LoyaltyApp.StartAsync(
        Backend.Postgres,
        new()
        {
            ["LOG_LEVEL"] = "debug",
            ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till-secret-4711")},support:ops:{KeyHash.Of("ops-secret-4711")}",
            ["DATABASE_URL"] = WithPassword(database.Url, "loyalty", "database-secret-4711"),
            ["REDIS_URL"] = WithPassword(TestServers.RedisUrl, "default", "redis-secret-4711"),
            // No server listens there, so every mail causes a log line.
            ["SMTP_URL"] = "smtp://mailer:smtp-secret-4711@127.0.0.1:1",
            ["MAIL_FROM"] = "loyalty@example.com",
            ["MAIL_TO"] = "ops@example.com",
            ["JWT_AUTHORITY"] = issuer.Authority,
            ["JWT_AUDIENCE"] = Issuer.Audience,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        },
        database: database,
        pdi: pdi,
        services: services =>
        {
            log.Capture(services);
            services.AddSingleton(new PdiOptions { MaxRetries = 1, FirstBackoff = TimeSpan.FromMilliseconds(1), BreakerFailureThreshold = int.MaxValue });
            services.AddSingleton(new PdiWorkLimits { MaxAttempts = 1, Poll = TimeSpan.FromMilliseconds(50) });
        });
}
