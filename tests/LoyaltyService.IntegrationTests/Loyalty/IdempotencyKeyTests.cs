using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LoyaltyService.Idempotency;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Loyalty;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace LoyaltyService.IntegrationTests.Loyalty;

/// <summary>The Idempotency-Key header, over HTTP, on both back ends.</summary>
public abstract class IdempotencyKeyTests(Backend backend) : IAsyncLifetime
{
    private const string CalculateRoute = "/loyalty/calculate-rewards";

    private readonly string key = "key " + Guid.NewGuid();

    private LoyaltyApp app = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_replayed_calculation_returns_the_same_bytes()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        var first = await Keyed(sale).CalculateAsync(150.00m);
        var other = await sale.CalculateAsync(10.99m);

        var again = await Keyed(sale).CalculateAsync(150.000m);
        var status = await sale.StatusAsync();

        Assert.False(first.IsReplay);
        Assert.NotEqual(first.Text, other.Text);
        Assert.Equal((200, first.Text, first.Headers["ETag"], true), (again.Status, again.Text, again.Headers["ETag"], again.IsReplay));
        Assert.Equal(4, status.Version);
        Assert.Equal(2, await app.Pdi.CallsAsync("calculateRewards"));
    }

    [Fact]
    public async Task A_different_body_returns_422_and_changes_nothing()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        await Keyed(sale).CalculateAsync(150.00m);

        var other = await Keyed(sale).CalculateAsync(150.01m);

        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));
        Assert.Equal(3, (await sale.StatusAsync()).Version);
    }

    [Fact]
    public async Task A_key_is_scoped_to_its_route()
    {
        var sale = Keyed(new Sale(app));

        var identified = await sale.IdentifyAsync();
        sale = sale with { SessionId = identified.SessionId };
        var calculated = await sale.CalculateAsync();
        var finalized = await sale.FinalizeAsync();
        Answer[] again = [await sale.IdentifyAsync(), await sale.CalculateAsync(), await sale.FinalizeAsync()];

        Assert.Equal((200, 200, 200), (identified.Status, calculated.Status, finalized.Status));
        Assert.Equal([identified.Text, calculated.Text, finalized.Text], again.Select(answer => answer.Text));
        Assert.All(again, answer => Assert.True(answer.IsReplay));
    }

    [Fact]
    public async Task Clients_do_not_share_keys()
    {
        static string Entry(string client) => $"{client}:loyalty:{KeyHash.Of("secret-of-" + client)}";
        await using var own = await LoyaltyApp.StartAsync(backend, new() { ["API_KEYS"] = $"{Entry("till")},{Entry("kiosk")}" });
        Sale Of(string client) => new(own) { TransactionId = "TXN-1", Headers = [("Idempotency-Key", key), ("X-Api-Key", "secret-of-" + client)] };

        var till = await Of("till").IdentifyAsync();
        var kiosk = await Of("kiosk").IdentifyAsync();
        var again = await Of("till").IdentifyAsync();

        Assert.Equal((200, 200), (till.Status, kiosk.Status));
        Assert.False(kiosk.IsReplay);
        Assert.NotEqual(till.SessionId, kiosk.SessionId);
        Assert.Equal(till.Text, again.Text);
    }

    [Fact]
    public async Task Twenty_concurrent_equal_calls_make_one_call_to_PDI()
    {
        var sale = Keyed(await new Sale(app).IdentifiedAsync());

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => sale.CalculateAsync()));

        Assert.All(answers, answer => Assert.Equal((200, answers[0].Text), (answer.Status, answer.Text)));
        Assert.Single(answers, answer => !answer.IsReplay);
        Assert.Equal(1, await app.Pdi.CallsAsync("calculateRewards"));
    }

    [Fact]
    public async Task PDIs_refusal_of_a_customer_is_stored()
    {
        var sale = Keyed(new Sale(app) { CustomerId = "CUST-NOBODY" });

        var first = await sale.IdentifyAsync();
        var again = await sale.IdentifyAsync();
        var other = await (sale with { CustomerId = "CUST-12345" }).IdentifyAsync();

        Assert.Equal((400, "pdi_rejected", false), (first.Status, first.Code, first.IsReplay));
        Assert.Equal((400, first.Text, true), (again.Status, again.Text, again.IsReplay));
        Assert.False(again.Headers.ContainsKey("ETag"));
        Assert.Equal(422, other.Status);
    }

    [Fact]
    public async Task PDIs_refusal_of_a_finalize_is_not_stored()
    {
        var sale = Keyed(await (new Sale(app) { CustomerId = "CUST-BRONZE" }).IdentifiedAsync());

        var refused = await sale.FinalizeAsync(redeemPoints: 99_999_999);
        var corrected = await sale.FinalizeAsync(redeemPoints: 100);

        Assert.Equal((400, "pdi_rejected"), (refused.Status, refused.Code));
        Assert.Equal((200, false), (corrected.Status, corrected.IsReplay));
    }

    [Fact]
    public async Task A_202_is_not_stored()
    {
        // The first attempt and its three retries fail. PDI works again for the worker or the next call.
        await app.Pdi.FaultAsync("identify", new { kind = "status", status = 500, count = 4 });
        var sale = Keyed(new Sale(app));

        var pending = await sale.IdentifyAsync();
        var settled = await Eventually.GetAsync(sale.IdentifyAsync, answer => answer.Status == 200, "the repeat finds the customer identified");
        var again = await sale.IdentifyAsync();

        Assert.Equal((202, pending.SessionId), (pending.Status, settled.SessionId));
        Assert.Equal((200, settled.Text, true), (again.Status, again.Text, again.IsReplay));
    }

    [Fact]
    public async Task A_503_is_not_stored()
    {
        var sale = Keyed(await new Sale(app).IdentifiedAsync());
        await app.Pdi.FaultAsync("calculateRewards", new { kind = "status", status = 500 });
        var refused = await sale.CalculateAsync(redeemPoints: 100);
        await app.Pdi.HealAsync();

        var calculated = await sale.CalculateAsync(150.00m);

        Assert.Equal((503, "pdi_unavailable"), (refused.Status, refused.Code));
        Assert.Equal((200, false), (calculated.Status, calculated.IsReplay));
    }

    [Fact]
    public async Task A_refusal_by_the_service_leaves_the_key_free()
    {
        var sale = Keyed(await new Sale(app).IdentifiedAsync());

        var unknown = await (sale with { SessionId = "sess_00000000000040008000000000000000" }).CalculateAsync();
        var calculated = await sale.CalculateAsync();

        Assert.Equal((404, 200), (unknown.Status, calculated.Status));
    }

    [Fact]
    public async Task The_work_continues_after_the_caller_disconnects()
    {
        var sale = Keyed(await new Sale(app).IdentifiedAsync());
        await app.Pdi.FaultAsync("calculateRewards", new { kind = "hang", count = 1 });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, CalculateRoute)
        {
            Content = new StringContent(CalculateBody(sale), Encoding.UTF8, "application/json"),
            Headers = { { "Idempotency-Key", key } },
        };
        var abandoned = app.Http.SendAsync(request, patience.Token);
        await Eventually.GetAsync(() => app.Pdi.WaitingAsync("calculateRewards"), waiting => waiting == 1, "the call is at PDI");

        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
        await app.Pdi.HealAsync();
        var answer = await app.PostAsync(CalculateRoute, CalculateBody(sale), sale.Headers);

        Assert.Equal((200, true), (answer.Status, answer.IsReplay));
        Assert.Equal(1, await app.Pdi.CallsAsync("calculateRewards"));
    }

    [Fact]
    public async Task During_the_first_call_the_same_body_waits_and_another_gets_422()
    {
        var sale = Keyed(await new Sale(app).IdentifiedAsync());
        var claim = await ClaimAsync(CalculateRoute, Calculation(sale), TimeSpan.FromMinutes(1));

        var waiting = await sale.CalculateAsync();
        var other = await sale.CalculateAsync(1.00m);
        await app.Services.GetRequiredService<IIdempotencyKeyStore>().ReleaseAsync(claim, Token);
        var calculated = await sale.CalculateAsync();

        Assert.Equal((409, "operation_in_progress", "1"), (waiting.Status, waiting.Code, waiting.Headers["Retry-After"]));
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));
        Assert.Equal((200, false), (calculated.Status, calculated.IsReplay));
    }

    [Fact]
    public async Task The_key_of_a_crashed_call_is_taken_over_after_its_lease()
    {
        var sale = Keyed(await new Sale(app).IdentifiedAsync());
        await ClaimAsync(CalculateRoute, Calculation(sale), TimeSpan.FromSeconds(1));

        var answer = await sale.CalculateAsync();
        var again = await sale.CalculateAsync();

        Assert.Equal((200, false), (answer.Status, answer.IsReplay));
        Assert.Equal((answer.Text, true), (again.Text, again.IsReplay));
    }

    [Fact]
    public async Task The_row_answers_after_a_cache_loss()
    {
        var sale = Keyed(await new Sale(app).IdentifiedAsync());
        var first = await sale.CalculateAsync();
        await sale.CalculateAsync();
        await ForgetAsync(CalculateRoute);
        await app.StopAsync();

        await using var next = await LoyaltyApp.StartAsync(backend, database: app.Database, pdi: app.Pdi);
        var again = await (sale with { App = next }).CalculateAsync();
        var other = await (sale with { App = next }).CalculateAsync(1.00m);

        Assert.Equal((200, first.Text, first.Headers["ETag"], true), (again.Status, again.Text, again.Headers["ETag"], again.IsReplay));
        Assert.Equal(422, other.Status);
    }

    [Fact]
    public async Task A_key_has_1_to_255_printable_characters_in_one_header()
    {
        var body = JsonSerializer.Serialize(new Sale(app).IdentifyBody());
        string[] accepted = ["k", "~", "a b", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", new string('k', 255)];
        string[] refused =
        [
            "Idempotency-Key:\r\n", "Idempotency-Key:   \r\n", $"Idempotency-Key: {new string('k', 256)}\r\n", "Idempotency-Key: schlüssel\r\n",
            "Idempotency-Key: a\tb\r\n", "Idempotency-Key: a\r\nIdempotency-Key: a\r\n",
        ];

        foreach (var value in accepted)
            Assert.StartsWith("HTTP/1.1 200 ", await SendRawAsync(body, $"Idempotency-Key: {value}\r\n"), StringComparison.Ordinal);
        foreach (var header in refused)
        {
            var answer = await SendRawAsync(body, header);
            Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
            Assert.Contains("\"code\":\"validation_failed\"", answer, StringComparison.Ordinal);
            Assert.Contains("\"field\":\"Idempotency-Key\"", answer, StringComparison.Ordinal);
        }
    }

    private Sale Keyed(Sale sale) => sale with { Headers = [("Idempotency-Key", key)] };

    private static CalculateRewardsRequest Calculation(Sale sale) => new(sale.SessionId, 150.00m, [new RewardItem("SKU-001", 2)]);

    private static string CalculateBody(Sale sale) => JsonSerializer.Serialize(Calculation(sale), LoyaltyJson.Wire.CalculateRewardsRequest);

    /// <summary>Claims the key like a call that stops there.</summary>
    private Task<IdempotencyKey> ClaimAsync(string route, CalculateRewardsRequest body, TimeSpan lease) =>
        app.Services.GetRequiredService<IIdempotencyKeyStore>()
            .ClaimAsync(IdempotentRequests.KeyOf("local", key, route), body.ToFingerprint(), lease, TimeSpan.FromMinutes(10), Token);

    /// <summary>Makes Redis lose the answer. The in-process cache ends with its process.</summary>
    private async Task ForgetAsync(string route)
    {
        if (app.Services.GetService<IConnectionMultiplexer>() is not { } redis)
            return;
        var pattern = $"loyalty:*:replay:key:{IdempotentRequests.KeyOf("local", key, route):N}";
        var entries = redis.GetServers()[0].Keys(pattern: pattern, pageSize: 10_000).ToArray();
        Assert.Equal(1, await redis.GetDatabase().KeyDeleteAsync(entries));
    }

    /// <summary>Sends raw headers, which HttpClient would join, trim or refuse.</summary>
    private async Task<string> SendRawAsync(string body, string headers)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(app.Address.Host, app.Address.Port, Token);
        await using var stream = connection.GetStream();
        var request = $"POST /loyalty/identify HTTP/1.1\r\nHost: {app.Address.Authority}\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request), Token);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(Token);
    }
}

public sealed class IdempotencyKeyOnPostgresTests() : IdempotencyKeyTests(Backend.Postgres);

public sealed class IdempotencyKeyOnSqliteTests() : IdempotencyKeyTests(Backend.Sqlite);
