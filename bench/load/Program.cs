using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

// Whole sales, closed loop: each till starts its next sale when the last one is done.
//   dotnet run --project bench/load -c Release -- http://localhost:3000 [tills=32] [seconds=20]
if (args is not [var address, ..])
{
    Console.Error.WriteLine("usage: LoyaltyService.Load ADDRESS [tills] [seconds]");
    return 64;
}

var tills = args.Length > 1 ? int.Parse(args[1]) : 32;
var seconds = args.Length > 2 ? int.Parse(args[2]) : 20;
using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = tills }) { BaseAddress = new Uri(address) };
var statuses = new ConcurrentDictionary<(string Operation, int Status), int>();
var latencies = new ConcurrentDictionary<string, ConcurrentBag<double>>();
var sales = 0;
var run = Guid.NewGuid().ToString("N")[..8];
var watch = Stopwatch.StartNew();

await Task.WhenAll(Enumerable.Range(0, tills).Select(TillAsync));

var elapsed = watch.Elapsed.TotalSeconds;
Console.WriteLine($"{tills} tills, {elapsed:F1} s: {sales} sales, {sales / elapsed:F0} sales/s");
foreach (var (operation, times) in latencies.OrderBy(entry => entry.Key))
{
    var sorted = times.Order().ToArray();
    Console.WriteLine($"  {operation,-10} p50 {At(sorted, 0.50):F1} ms   p99 {At(sorted, 0.99):F1} ms   p99.9 {At(sorted, 0.999):F1} ms   max {sorted[^1]:F1} ms");
}

foreach (var (key, count) in statuses.OrderBy(entry => entry.Key))
    Console.WriteLine($"  {key.Operation,-10} {key.Status}: {count}");
return statuses.Keys.All(key => key.Status == 200) ? 0 : 1;

async Task TillAsync(int till)
{
    for (var number = 0; watch.Elapsed.TotalSeconds < seconds; number++)
    {
        var transaction = $"TXN-{run}-{till}-{number}";
        if (await CallAsync("identify", $$"""{"customerId":"CUST-LOAD-{{till}}-{{number % 1000}}","channelId":"POS-{{till}}","transactionId":"{{transaction}}"}""") is not { } session)
            continue;
        await CallAsync("calculate-rewards", $$"""{"sessionId":"{{session}}","transactionAmount":150.00,"items":[{"sku":"SKU-001","qty":2}]}""");
        await CallAsync("finalize", $$"""{"sessionId":"{{session}}","transactionId":"{{transaction}}","finalAmount":150.00,"applyRewards":true}""");
        Interlocked.Increment(ref sales);
    }
}

async Task<string?> CallAsync(string operation, string body)
{
    var started = Stopwatch.GetTimestamp();
    using var content = new StringContent(body, Encoding.UTF8, "application/json");
    using var response = await http.PostAsync("/loyalty/" + operation, content);
    var json = await response.Content.ReadFromJsonAsync<JsonElement>();
    latencies.GetOrAdd(operation, _ => []).Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    statuses.AddOrUpdate((operation, (int)response.StatusCode), 1, (_, count) => count + 1);
    return json.TryGetProperty("sessionId", out var id) ? id.GetString() : null;
}

static double At(double[] sorted, double quantile) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))];
