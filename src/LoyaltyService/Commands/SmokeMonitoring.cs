using System.Globalization;
using System.Text.Json;

namespace LoyaltyService.Commands;

/// <summary>The checks of <see cref="Smoke"/> that ask Prometheus.</summary>
internal sealed class SmokeMonitoring(HttpClient http, Uri prometheus)
{
    private const string Job = "job=\"loyalty-service\"";

    public async Task<string> ScrapedAsync()
    {
        var (replicas, up) = (await OneAsync($"count(up{{{Job}}})"), await OneAsync($"sum(up{{{Job}}})"));
        return replicas > 0 && up == replicas ? $"from {up} replicas" : throw new SmokeException($"{up} of {replicas} replicas are scraped");
    }

    public async Task<string> NoAlertsAsync()
    {
        var firing = await QueryAsync("ALERTS{alertstate=\"firing\",alertname=~\"Loyalty.*\"}");
        var names = firing.Select(alert => alert.GetProperty("metric").GetProperty("alertname").GetString()).Distinct().ToList();
        return names.Count == 0 ? "none fires" : throw new SmokeException(string.Join(", ", names));
    }

    /// <summary>Traffic is at least half of the hour before, and at most 5 % of the answers are 5xx.</summary>
    public async Task<string> TrafficAsync()
    {
        const string calls = "http_requests_total{" + Job + ",endpoint=~\"/loyalty/.*\"";
        var now = await OneAsync($"sum(rate({calls}}}[5m]))");
        var before = await OneAsync($"sum(rate({calls}}}[1h] offset 5m))");
        var broken = await OneAsync($"sum(rate({calls},status=~\"5..\"}}[5m]))");
        var seen = string.Create(CultureInfo.InvariantCulture, $"{now:F2} calls/s, {before:F2} in the hour before, {broken:F2} answered 5xx");
        return IsNormal(now, before, broken) ? seen : throw new SmokeException(seen);
    }

    internal static bool IsNormal(double now, double before, double broken) => now >= before / 2 && broken <= now * 0.05;

    /// <summary>The value of a query; 0 if the result is empty.</summary>
    private async Task<double> OneAsync(string query) =>
        (await QueryAsync(query)) is [var one, ..] ? double.Parse(one.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture) : 0;

    private async Task<IReadOnlyList<JsonElement>> QueryAsync(string query)
    {
        using var answer = await http.GetAsync(new Uri(prometheus, "api/v1/query?query=" + Uri.EscapeDataString(query)));
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return [.. json.RootElement.Clone().GetProperty("data").GetProperty("result").EnumerateArray()];
    }
}
