using System.Net.Http.Json;
using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>TLS to real PostgreSQL, Redis and PDI servers, with a trusted and an untrusted authority.</summary>
public sealed class EncryptedTests(EncryptedTests.Servers servers) : IClassFixture<EncryptedTests.Servers>
{
    [Fact]
    public async Task A_sale_works_with_all_connections_encrypted_and_verified()
    {
        await using var service = await ServiceProcess.StartServiceAsync(
            TestDatabase.At(servers.DatabaseUrl("localhost", "verify-full", servers.Certificates.AuthorityPath)),
            servers.Pdi.Address,
            new() { ["REDIS_URL"] = servers.Redis.Url, ["SSL_CERT_FILE"] = servers.Certificates.AuthorityPath });
        using var http = new HttpClient { BaseAddress = service.Address };

        var session = (await PostAsync(http, "identify", BadInputs.Good["identify"])).GetProperty("sessionId").GetString();
        var finalized = $$"""{"sessionId":"{{session}}","transactionId":"TXN-67890","finalAmount":150.00,"applyRewards":true}""";
        var receipt = await PostAsync(http, "finalize", finalized);
        var before = await servers.Redis.HitsAsync();
        var again = await PostAsync(http, "finalize", finalized);

        Assert.Equal("finalized", receipt.GetProperty("status").GetString());
        Assert.Equal(receipt.GetRawText(), again.GetRawText());
        Assert.Equal(before + 1, await servers.Redis.HitsAsync());
        Assert.True(await servers.IsEncryptedAsync());
    }

    [Theory]
    [InlineData("127.0.0.1", "verify-full", true)]
    [InlineData("127.0.0.1", "verify-ca", false)]
    [InlineData("localhost", "verify-ca", false)]
    [InlineData("localhost", "verify-full", false)]
    public async Task A_database_with_a_wrong_certificate_is_not_used(string host, string mode, bool isTrusted)
    {
        var authority = isTrusted ? servers.Certificates.AuthorityPath : servers.Strangers.AuthorityPath;

        var refused = await Assert.ThrowsAsync<DatabaseUnavailableException>(
            () => LoyaltyApp.StartAsync(Backend.Postgres, database: TestDatabase.At(servers.DatabaseUrl(host, mode, authority)), pdi: servers.Simulator));

        Assert.Contains("certificate", refused.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("127.0.0.1", "verify-ca")]
    [InlineData("127.0.0.1", "require")]
    public async Task A_weaker_sslmode_verifies_less(string host, string mode)
    {
        await using var connection = await TestDatabase.At(servers.DatabaseUrl(host, mode, servers.Certificates.AuthorityPath)).OpenPostgresAsync();
        await using var command = new NpgsqlCommand("select ssl from pg_stat_ssl where pid = pg_backend_pid()", connection);

        Assert.Equal(true, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Redis_and_PDI_with_untrusted_certificates_are_not_used()
    {
        var before = await servers.Simulator.CallsAsync("identify");
        await using var app = await LoyaltyApp.StartAsync(
            Backend.Sqlite, new() { ["REDIS_URL"] = servers.Redis.Url, ["PDI_API_URL"] = servers.Pdi.Address.AbsoluteUri });

        var identified = await app.PostAsync("/loyalty/identify", BadInputs.Good["identify"]);
        var health = (await app.GetAsync("/health/live")).Json.GetProperty("checks");

        Assert.Equal((202, "pending"), (identified.Status, identified.Json.GetProperty("status").GetString()));
        Assert.Equal("down", health.GetProperty("redis").GetProperty("status").GetString());
        Assert.Equal(before, await servers.Simulator.CallsAsync("identify"));
    }

    private static async Task<JsonElement> PostAsync(HttpClient http, string route, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/loyalty/" + route, UriKind.Relative), content, TestContext.Current.CancellationToken);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, json.GetRawText());
        return json;
    }

    /// <summary>The three servers with certificates from one authority. PostgreSQL's has only its host name.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        internal TestCertificates Certificates { get; } = new();

        internal TestCertificates Strangers { get; } = new();

        internal PrivateRedis Redis { get; private set; } = null!;

        internal Simulator Simulator { get; private set; } = null!;

        internal TlsFront Pdi { get; private set; } = null!;

        private PrivatePostgres Postgres { get; set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Postgres = await PrivatePostgres.StartNewAsync(Certificates.Issue("postgres", hasAddress: false));
            Redis = new PrivateRedis(Certificates);
            await Redis.StartAsync();
            Simulator = await Simulator.StartAsync();
            Pdi = new TlsFront(Simulator.Address, Certificates.Issue("pdi"));
        }

        public async ValueTask DisposeAsync()
        {
            await Pdi.DisposeAsync();
            await Simulator.DisposeAsync();
            await Redis.DisposeAsync();
            await Postgres.DisposeAsync();
            Certificates.Dispose();
            Strangers.Dispose();
        }

        internal string DatabaseUrl(string host, string mode, string authority) =>
            $"postgresql://loyalty@{host}:{Postgres.Port}/postgres?sslmode={mode}&sslrootcert={Uri.EscapeDataString(authority)}";

        internal async Task<bool> IsEncryptedAsync()
        {
            await using var connection = await Postgres.Database.OpenPostgresAsync();
            await using var command = new NpgsqlCommand(
                "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'loyalty-service'", connection);
            return await command.ExecuteScalarAsync() is true;
        }
    }
}
