using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;

namespace LoyaltyService.Tests.Simulator;

/// <summary>A real simulator on a free port, and a client with a valid token.</summary>
internal sealed class SimulatorHost : IAsyncDisposable
{
    public const string Credentials = "grant_type=client_credentials&client_id=loyalty&client_secret=simulator-secret";

    private readonly WebApplication? _app;

    private SimulatorHost(Uri address, WebApplication? app)
    {
        _app = app;

        // A test that forgets to release a hang fails after this time.
        Http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public HttpClient Http { get; }

    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    public static async Task<SimulatorHost> StartAsync(params string[] args) => await StartAsync(TimeProvider.System, args);

    public static async Task<SimulatorHost> StartAsync(TimeProvider clock, params string[] args)
    {
        var ledger = args.Contains("--ledger") ? [] : new[] { "--ledger", ":memory:" };
        var app = PdiSimulator.Program.Build(["--port", "0", .. ledger, .. args], clock);
        await app.StartAsync(TestEnd);

        return await ConnectAsync(new Uri(app.Urls.Single()), app);
    }

    /// <summary>Connects to a simulator. Stops it at the end if it runs in this process.</summary>
    public static async Task<SimulatorHost> ConnectAsync(Uri address, WebApplication? app = null)
    {
        var host = new SimulatorHost(address, app);
        await host.RenewTokenAsync();
        return host;
    }

    public async Task RenewTokenAsync()
    {
        // A simulator that starts with a token fault issues no token yet.
        using var response = await PostTokenAsync();

        if (response.StatusCode == HttpStatusCode.OK)
        {
            var token = (await JsonAsync(response))["access_token"]!.GetValue<string>();
            Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    public Task<HttpResponseMessage> PostTokenAsync(string form = Credentials) => Http.PostAsync(
        "/oauth/token", new StringContent(form, new MediaTypeHeaderValue("application/x-www-form-urlencoded")), TestEnd);

    public Task<HttpResponseMessage> PostIdentifyAsync(
        string customerId = "CUST-12345", string transactionId = "TXN-67890", string? key = null) =>
        PostAsync("/identify", new { customerId, channelId = "POS-001", transactionId }, key ?? NewKey());

    public Task<HttpResponseMessage> PostCalculateAsync(string session, decimal amount = 150.00m, long? redeemPoints = null) => PostAsync(
        "/calculateRewards",
        new { pdiSessionId = session, transactionAmount = amount, items = new[] { new { sku = "SKU-001", qty = 2 } }, redeemPoints });

    public Task<HttpResponseMessage> PostFinalizeAsync(
        string session,
        string? key = null,
        decimal amount = 150.00m,
        long redeemPoints = 0,
        string transactionId = "TXN-67890",
        bool applyRewards = true,
        long earnedPoints = 450) => PostAsync(
        "/finalize",
        new { pdiSessionId = session, transactionId, finalAmount = amount, earnedPoints, redeemPoints, applyRewards },
        key ?? NewKey());

    public Task<HttpResponseMessage> GetStatusAsync(string session) => Http.GetAsync($"/getSessionStatus?pdiSessionId={session}", TestEnd);

    public async Task<string> GivenSessionAsync(string customerId = "CUST-12345", string transactionId = "TXN-67890")
    {
        using var response = await PostIdentifyAsync(customerId, transactionId);
        return (await JsonAsync(response))["pdiSessionId"]!.GetValue<string>();
    }

    public async Task<HttpResponseMessage> PostAsync(string path, object body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };

        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);

        return await Http.SendAsync(request, TestEnd);
    }

    public async Task<JsonObject> PutAsync(string path, object body)
    {
        using var response = await Http.PutAsJsonAsync(path, body, TestEnd);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await JsonAsync(response);
    }

    public Task ArmAsync(string operation, object fault) => PutAsync($"/_simulator/faults/{operation}", fault);

    public async Task DeleteAsync(string path)
    {
        using var response = await Http.DeleteAsync(path, TestEnd);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    public async Task<JsonObject> GetAsync(string path)
    {
        using var response = await Http.GetAsync(path, TestEnd);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await JsonAsync(response);
    }

    /// <summary>Polls until the fault holds a call. The test's timeout ends the polling.</summary>
    public async Task UntilCallWaitsAsync(string operation)
    {
        while ((await GetAsync("/_simulator/faults"))[operation]!["waiting"]!.GetValue<int>() == 0)
            TestEnd.ThrowIfCancellationRequested();
    }

    public async Task UntilCountedAsync(string operation, string outcome)
    {
        while ((await GetAsync("/_simulator/calls"))[operation]?[outcome] is null)
            TestEnd.ThrowIfCancellationRequested();
    }

    public static async Task<JsonObject> JsonAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(TestEnd))!.AsObject();

    public static async Task AssertRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        Assert.Equal(status, response.StatusCode);
        var body = await JsonAsync(response);
        Assert.Equal(code, body["code"]!.GetValue<string>());
        Assert.NotEmpty(body["message"]!.GetValue<string>());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();

        if (_app is not null)
            await _app.DisposeAsync();
    }

    private static string NewKey() => Guid.NewGuid().ToString();
}
