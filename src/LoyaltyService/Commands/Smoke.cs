using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LoyaltyService.Configuration;

namespace LoyaltyService.Commands;

/// <summary>
/// <c>smoke URL</c>: one complete sale for a test customer, then health, version and metrics. With Prometheus it also checks that the metrics
/// arrive, that no alert fires and that traffic is normal. Prints a table, and returns 1 if a row failed.
/// </summary>
internal sealed class Smoke(SmokeOptions options, TextWriter output) : IDisposable
{
    private const decimal Amount = 1.00m;

    // Behind a load balancer each scrape may reach another replica, and a new one has counted nothing yet.
    private const int MostScrapes = 30;

    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(15) };
    private readonly string transactionId = $"SMOKE-{Guid.NewGuid():N}";
    private string? session;
    private string? receipt;
    private int failures;

    public static async Task<int> RunAsync(SmokeOptions options, TextWriter output)
    {
        using var smoke = new Smoke(options, output);
        return await smoke.RunAsync();
    }

    public void Dispose() => http.Dispose();

    private async Task<int> RunAsync()
    {
        await CheckAsync("health", HealthAsync);
        await CheckAsync("ready", () => ReportAsync("health/ready"));
        await CheckAsync("dependencies", () => ReportAsync("health/live"));
        await CheckAsync("identify", IdentifyAsync);
        await CheckAsync("calculate", CalculateAsync);
        await CheckAsync("finalize", FinalizeAsync);
        await CheckAsync("finalize again", RepeatAsync);
        await CheckAsync("status", StatusAsync);
        await CheckAsync("metrics", MetricsAsync);
        if (options.Prometheus is { } prometheus)
        {
            var monitoring = new SmokeMonitoring(http, prometheus);
            await CheckAsync("metrics arrive", monitoring.ScrapedAsync);
            await CheckAsync("no alerts", monitoring.NoAlertsAsync);
            await CheckAsync("traffic", monitoring.TrafficAsync);
        }

        await output.WriteLineAsync(failures == 0 ? "All is well." : $"{failures} failed.");
        return failures == 0 ? 0 : ExitCodes.Failed;
    }

    /// <summary>Runs one check and writes its row. A check returns what it saw, or throws <see cref="SmokeException"/>.</summary>
    private async Task CheckAsync(string name, Func<Task<string>> check)
    {
        var started = Stopwatch.GetTimestamp();
        var (word, seen) = ("ok", "");
        try
        {
            seen = await check();
        }
        // The answer is missing, is not JSON, lacks a member or has the wrong value. The other rows are still worth running.
        catch (Exception wrong) when (wrong is SmokeException or HttpRequestException or TaskCanceledException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            (word, seen) = ("FAILED", wrong.Message);
            failures++;
        }

        await output.WriteLineAsync($"{name,-16}{word,-8}{Stopwatch.GetElapsedTime(started).TotalMilliseconds,7:F0} ms  {seen}");
    }

    private async Task<string> HealthAsync()
    {
        var health = await GetAsync("health");
        var (version, commit) = (health.GetProperty("version").GetString(), health.GetProperty("commit").GetString());
        Expect((version, commit) == (Release.Version, Release.Commit), $"answers {version} ({commit}), but this program is {Release.Version} ({Release.Commit})");
        return $"{version} ({commit})";
    }

    private async Task<string> ReportAsync(string path)
    {
        var report = await GetAsync(path);
        var checks = string.Join(", ", report.GetProperty("checks").EnumerateObject().Select(check => $"{check.Name} {check.Value.GetProperty("status").GetString()}"));
        Expect(report.GetProperty("status").GetString() == "healthy", $"{report.GetProperty("status").GetString()}: {checks}");
        return checks;
    }

    private async Task<string> IdentifyAsync()
    {
        var answer = await PostAsync("identify", $$"""{"customerId":{{Quoted(options.CustomerId)}},"channelId":"SMOKE","transactionId":"{{transactionId}}"}""");
        session = answer.GetProperty("sessionId").GetString();
        return $"{session}, {answer.GetProperty("tier").GetString()}, {answer.GetProperty("currentPoints").GetInt64()} points";
    }

    private async Task<string> CalculateAsync()
    {
        var answer = await PostAsync("calculate-rewards", $$"""{"sessionId":{{Session()}},"transactionAmount":{{Amount}},"items":[]}""");
        var source = answer.GetProperty("source").GetString();
        Expect(source == "pdi", $"the points come from {source}, not from PDI");
        return $"{answer.GetProperty("earnedPoints").GetInt64()} points";
    }

    private async Task<string> FinalizeAsync()
    {
        var answer = await PostAsync("finalize", FinalizeBody());
        receipt = answer.GetProperty("receiptId").GetString();
        return $"{receipt}, {answer.GetProperty("earnedPoints").GetInt64()} points, balance {answer.GetProperty("newBalance").GetInt64()}";
    }

    private async Task<string> RepeatAsync()
    {
        var again = (await PostAsync("finalize", FinalizeBody())).GetProperty("receiptId").GetString();
        Expect(again == receipt, $"another receipt: {again}");
        return "the same receipt";
    }

    private async Task<string> StatusAsync()
    {
        var status = (await GetAsync($"loyalty/getSessionStatus?sessionId={Uri.EscapeDataString(session ?? "")}")).GetProperty("status").GetString();
        Expect(status == "finalized", $"{status}");
        return status!;
    }

    private async Task<string> MetricsAsync()
    {
        for (var scrape = 1; scrape <= MostScrapes; scrape++)
        {
            var text = await http.GetStringAsync(new Uri(options.Service, "metrics"));
            var counted = text.Split('\n').FirstOrDefault(static line => line.StartsWith("sessions_finalized_count", StringComparison.Ordinal))?.Split(' ').ElementAtOrDefault(1);
            Expect(counted is not null, "sessions_finalized_count is missing");
            if (counted is not "0")
                return $"sessions_finalized_count {counted}";
        }

        throw new SmokeException($"sessions_finalized_count was 0 in {MostScrapes} scrapes");
    }

    private string FinalizeBody() =>
        $$"""{"sessionId":{{Session()}},"transactionId":"{{transactionId}}","finalAmount":{{Amount}},"applyRewards":true}""";

    private string Session() => Quoted(session ?? throw new SmokeException("there is no session"));

    private async Task<JsonElement> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(options.Service, path));
        return await SendAsync(request);
    }

    private async Task<JsonElement> PostAsync(string route, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(options.Service, "loyalty/" + route))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        return await SendAsync(request);
    }

    private async Task<JsonElement> SendAsync(HttpRequestMessage request)
    {
        if (options.ApiKey is { Length: > 0 } key)
            request.Headers.Add("X-Api-Key", key);
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Expect((int)answer.StatusCode == 200, $"{(int)answer.StatusCode} {text}");
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    private static void Expect(bool isTrue, string otherwise)
    {
        if (!isTrue)
            throw new SmokeException(otherwise);
    }

    // Valid ids need no escaping; the service refuses the others.
    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}

/// <summary>A check of <see cref="Smoke"/> failed.</summary>
internal sealed class SmokeException(string message) : Exception(message);
