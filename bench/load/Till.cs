using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace LoyaltyService.Load;

/// <summary>Makes sales: identify, calculate and finalize, or the steps that were chosen.</summary>
internal sealed class Till(LoadOptions options) : IDisposable
{
    // Distinguishes the sales of this run from those of earlier runs.
    private readonly string run = Guid.NewGuid().ToString("N")[..8];
    private readonly HttpClient http = Connect(options);
    private int sold;

    /// <param name="till">The till's number.</param>
    /// <param name="dueAt">When the sale's first call was due, as a <see cref="Stopwatch"/> timestamp.</param>
    /// <param name="tally">Counts the responses.</param>
    public async Task SellAsync(int till, long dueAt, Tally tally)
    {
        var number = Interlocked.Increment(ref sold);
        var transaction = $"TXN-{run}-{number}";
        var replica = options.Addresses[till % options.Addresses.Length];
        var session = await CallAsync(replica, "identify", $$"""{"customerId":"CUST-LOAD-{{number % 32_000}}","channelId":"POS-{{till}}","transactionId":"{{transaction}}"}""", dueAt, tally);
        if (session is null)
            return;
        if (options.Steps.Contains("calculate"))
            await CallAsync(replica, "calculate-rewards", $$"""{"sessionId":"{{session}}","transactionAmount":150.00,"items":[{"sku":"SKU-001","qty":2}]}""", Stopwatch.GetTimestamp(), tally);
        if (options.Steps.Contains("finalize"))
            await CallAsync(replica, "finalize", $$"""{"sessionId":"{{session}}","transactionId":"{{transaction}}","finalAmount":150.00,"applyRewards":true}""", Stopwatch.GetTimestamp(), tally);
        tally.Sold();
    }

    public void Dispose() => http.Dispose();

    private static HttpClient Connect(LoadOptions options)
    {
        var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = options.Rate > 0 ? 200 : options.Tills });
        if (options.Key is { } key)
            http.DefaultRequestHeaders.Add("X-Api-Key", key);
        return http;
    }

    private async Task<string?> CallAsync(Uri replica, string operation, string body, long dueAt, Tally tally)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(replica, "/loyalty/" + operation), content);
        var json = await response.Content.ReadFromJsonAsync<JsonElement>();
        tally.Answered(operation, (int)response.StatusCode, Stopwatch.GetElapsedTime(dueAt));
        return json.TryGetProperty("sessionId", out var id) ? id.GetString() : null;
    }
}
