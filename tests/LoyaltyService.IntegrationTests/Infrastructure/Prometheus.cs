using System.ComponentModel;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using LoyaltyService.Storage;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A real Prometheus on a free port, with the repository's configuration, that looks at one service every second.</summary>
internal sealed class Prometheus : IAsyncDisposable
{
    private const string Configuration = "deploy/prometheus/prometheus.yaml";

    private readonly Process process;
    private readonly HttpClient http;
    private readonly DirectoryInfo folder;

    private Prometheus(Process process, Uri address, DirectoryInfo folder)
    {
        this.process = process;
        this.folder = folder;
        http = new HttpClient { BaseAddress = address };
        Address = new Uri(address, "/");
    }

    public Uri Address { get; }

    /// <param name="rules">The rules instead of the repository's.</param>
    public static async Task<Prometheus> StartAsync(Uri service, string? rules = null)
    {
        var folder = Directory.CreateTempSubdirectory("prometheus-test-");
        var configuration = Path.Combine(folder.FullName, "prometheus.yaml");
        var rulesFile = Repository.PathOf("deploy/prometheus/alerts.yaml");
        if (rules is not null)
            await File.WriteAllTextAsync(rulesFile = Path.Combine(folder.FullName, "rules.yaml"), rules);
        await File.WriteAllTextAsync(configuration, Repository.ReadAllText(Configuration)
            .Replace("_interval: 30s", "_interval: 1s", StringComparison.Ordinal)
            .Replace("- alerts.yaml", "- " + rulesFile, StringComparison.Ordinal)
            .Replace("localhost:3000", service.Authority, StringComparison.Ordinal));
        var address = $"127.0.0.1:{FreePort.Find()}";
        var process = Start(
            "prometheus", $"--config.file={configuration}", $"--storage.tsdb.path={Path.Combine(folder.FullName, "data")}", $"--web.listen-address={address}",
            "--log.level=error");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var prometheus = new Prometheus(process, new Uri("http://" + address), folder);
        try
        {
            await Eventually.BecomesTrueAsync(prometheus.IsReadyAsync, "Prometheus is ready", TimeSpan.FromSeconds(60));
            await Eventually.GetAsync(prometheus.LookAtTargetAsync, static state => state == "up", "Prometheus can read the metrics", TimeSpan.FromSeconds(60));
            return prometheus;
        }
        catch
        {
            // Nobody else knows the process.
            await prometheus.DisposeAsync();
            throw;
        }
    }

    /// <summary>The values of a query, NaN among them; fails if Prometheus does not understand it.</summary>
    public async Task<double[]> QueryAsync(string query)
    {
        var data = await GetAsync("/api/v1/query?query=" + Uri.EscapeDataString(query));
        Assert.True(data.GetProperty("resultType").GetString() == "vector", $"{query} is no vector.");
        return [.. data.GetProperty("result").EnumerateArray().Select(series => double.Parse(series.GetProperty("value")[1].GetString()!))];
    }

    /// <summary>Waits until a query has at least one number.</summary>
    public Task HasDataAsync(string query) => Eventually.GetAsync(
        () => QueryAsync(query), values => values.Any(double.IsFinite), $"Prometheus has data for {query}");

    /// <summary>The alerts as Prometheus has read them, each evaluated at least once.</summary>
    public async Task<IReadOnlyList<JsonElement>> RulesAsync()
    {
        var groups = await Eventually.GetAsync(
            async () => (await GetAsync("/api/v1/rules?type=alert")).GetProperty("groups").EnumerateArray().ToList(),
            groups => groups.Count > 0 && groups.SelectMany(RulesOf).All(rule => rule.GetProperty("health").GetString() != "unknown"),
            "Prometheus has evaluated every rule");
        return [.. groups.SelectMany(RulesOf)];

        static IEnumerable<JsonElement> RulesOf(JsonElement group) => group.GetProperty("rules").EnumerateArray();
    }

    /// <summary>Runs promtool to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunPromtoolAsync(string input, params string[] arguments)
    {
        using var promtool = Start("promtool", arguments);
        var output = promtool.StandardOutput.ReadToEndAsync();
        var error = promtool.StandardError.ReadToEndAsync();
        await promtool.StandardInput.WriteAsync(input);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync();
        return (promtool.ExitCode, await output + await error);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        folder.Delete(recursive: true);
    }

    private static Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException($"{program} is missing. Run ./test.sh, which installs it, or install Debian's package prometheus.", missing);
        }
    }

    private async Task<bool> IsReadyAsync()
    {
        if (process.HasExited)
            throw new InvalidOperationException($"Prometheus ended with {process.ExitCode}.");
        try
        {
            using var answer = await http.GetAsync("/-/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>up, or why it is not.</summary>
    private async Task<string> LookAtTargetAsync()
    {
        var targets = (await GetAsync("/api/v1/targets")).GetProperty("activeTargets").EnumerateArray().ToList();
        return targets is [var target] && target.GetProperty("health").GetString() is var health && health != "down"
            ? health!
            : string.Join(' ', targets.Select(down => down.GetProperty("lastError").GetString()));
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await http.GetAsync(path);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(json.GetProperty("status").GetString() == "success", $"{Uri.UnescapeDataString(path)}: {json}");
        return json.GetProperty("data");
    }
}
