using System.Net.Http.Json;
using System.Text.Json;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The PDI simulator, in this process or in one of its own, and its remote control.</summary>
internal sealed class Simulator : IAsyncDisposable
{
    private readonly Func<ValueTask> stop;
    private readonly HttpClient http;

    private Simulator(Uri address, Func<ValueTask> stop)
    {
        this.stop = stop;
        Address = address;
        http = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    public static async Task<Simulator> StartAsync()
    {
        var app = PdiSimulator.Program.Build(["--port", "0", "--ledger", ":memory:"]);
        await app.StartAsync();
        return new Simulator(new Uri(app.Urls.Single()), async () =>
        {
            await app.StopAsync();
            await app.DisposeAsync();
        });
    }

    /// <summary>The simulator as a process of its own, with a ledger that outlives it.</summary>
    public static async Task<Simulator> StartProcessAsync()
    {
        var folder = Directory.CreateTempSubdirectory("pdi-test-");
        var process = await ServiceProcess.StartSimulatorAsync(Path.Combine(folder.FullName, "ledger.db"));
        return new Simulator(process.Address, async () =>
        {
            await process.DisposeAsync();
            folder.Delete(recursive: true);
        });
    }

    /// <summary>Arms a fault, for example <c>Fault("finalize", new { kind = "commit-then-hang", count = 1 })</c>.</summary>
    public Task FaultAsync(string operation, object fault) => PutAsync($"/_simulator/faults/{operation}", fault);

    public async Task HealAsync()
    {
        (await http.DeleteAsync("/_simulator/faults")).EnsureSuccessStatusCode();
        await PutAsync("/_simulator/outage", new { down = false });
    }

    /// <summary>PDI is gone: every connection breaks off.</summary>
    public Task OutageAsync() => PutAsync("/_simulator/outage", new { down = true });

    public async Task<long> BalanceAsync(string customerId) =>
        (await GetAsync($"/_simulator/customers/{customerId}")).GetProperty("currentPoints").GetInt64();

    public Task<JsonElement> SummaryAsync() => GetAsync("/_simulator/ledger/summary");

    /// <summary>How many calls an operation had, whatever they ended with.</summary>
    public async Task<int> CallsAsync(string operation) =>
        (await GetAsync("/_simulator/calls")).TryGetProperty(operation, out var statuses)
            ? statuses.EnumerateObject().Sum(status => status.Value.GetInt32())
            : 0;

    /// <summary>How many different idempotency keys an operation came under, whatever became of the calls.</summary>
    public async Task<int> KeysAsync(string operation) =>
        (await GetAsync("/_simulator/calls/keys")).TryGetProperty(operation, out var keys) ? keys.GetInt32() : 0;

    /// <summary>How many calls an operation's fault holds back just now.</summary>
    public async Task<int> WaitingAsync(string operation) =>
        (await GetAsync("/_simulator/faults")).GetProperty(operation).GetProperty("waiting").GetInt32();

    /// <summary>Waits until an operation's fault holds back that many calls.</summary>
    public Task IsAskedAsync(string operation, int times) => Eventually.BecomesTrueAsync(
        async () => await WaitingAsync(operation) >= times, $"PDI is asked to {operation}, times {times}");

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await stop();
    }

    private async Task PutAsync(string path, object body) => (await http.PutAsJsonAsync(path, body)).EnsureSuccessStatusCode();

    private async Task<JsonElement> GetAsync(string path) => await http.GetFromJsonAsync<JsonElement>(path);
}
