using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using LoyaltyService.Commands;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>The production image, built from its Dockerfile's lines and run as in a container.</summary>
public sealed class ImageTests
{
    private static readonly TimeSpan MostForItsStart = TimeSpan.FromSeconds(2.5);
    private const double MostMegabytes = 55;

    private const string Key = "not a secret";
    private static readonly Dictionary<string, string?> Production = new() { ["NODE_ENV"] = "production", ["API_KEYS"] = $"till:loyalty:{KeyHash.Of(Key)}" };

    [Fact]
    public async Task It_serves_a_sale_unprivileged_on_a_read_only_disk_and_drains()
    {
        var image = await Image.GetAsync();
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var started = Stopwatch.StartNew();
        await using var service = await ServiceProcess.StartImageAsync(image, database, pdi.Address, Production);
        // docs/operations.md reports the wall-clock time; other tests run beside this one. This limits the CPU time of the start to twice
        // the measured value.
        var (ready, cost) = (started.Elapsed, service.ProcessorTime);
        TestContext.Current.TestOutputHelper!.WriteLine($"Ready {ready.TotalSeconds:F2} s after its start, for {cost.TotalSeconds:F2} s of processor time.");
        Assert.True(cost < MostForItsStart, $"To start takes {cost} of processor time.");
        using var http = new HttpClient { BaseAddress = service.Address, DefaultRequestHeaders = { { "X-Api-Key", Key } } };

        var health = await http.GetFromJsonAsync<JsonElement>("/health", TestContext.Current.CancellationToken);
        Assert.Equal((Release.Version, Image.Commit), (health.GetProperty("version").GetString(), health.GetProperty("commit").GetString()));
        var healthy = await HealthCheckAsync(image, service.Address.Port);
        Assert.True(healthy.ExitCode == 0 && healthy.Output.StartsWith("200 ", StringComparison.Ordinal), healthy.Output);

        var sale = await PostAsync(http, "identify", new { customerId = "CUST-12345", channelId = "POS-001", transactionId = "TXN-67890" });
        var session = sale.GetProperty("sessionId").GetString();
        Assert.Equal(("active", "John Doe", 5000, "Gold"), (Text(sale, "status"), Text(sale, "customerName"), sale.GetProperty("currentPoints").GetInt32(), Text(sale, "tier")));
        var quote = await PostAsync(http, "calculate-rewards", new { sessionId = session, transactionAmount = 150.00m, items = new[] { new { sku = "SKU-001", qty = 2 } } });
        Assert.Equal((450, 3.0m, 150), (quote.GetProperty("earnedPoints").GetInt32(), quote.GetProperty("multiplier").GetDecimal(), quote.GetProperty("bonusPoints").GetInt32()));

        // Only the image's own smoke test knows its release.
        var same = await RunAsync(image.Start("ENTRYPOINT", new Dictionary<string, string?> { ["SMOKE_API_KEY"] = "not a secret", ["SMOKE_CUSTOMER_ID"] = "CUST-GOLD" }, "smoke", service.Address.AbsoluteUri));
        Assert.True(same.ExitCode == 0, same.Output);
        await using var output = new StringWriter { NewLine = "\n" };
        Assert.Equal(1, await Smoke.RunAsync(new SmokeOptions(service.Address, null, "not a secret", "CUST-GOLD"), output));
        Assert.Equal(["health"], SmokeTests.Failed(output.ToString().Split('\n')[..^2]));

        // PDI holds the finalize until the service has stopped listening.
        await pdi.FaultAsync("finalize", new { kind = "hang" });
        var finalizing = PostAsync(http, "finalize", new { sessionId = session, transactionId = "TXN-67890", finalAmount = 150.00m, applyRewards = true });
        await pdi.IsAskedAsync("finalize", times: 1);
        var ending = Stopwatch.StartNew();
        service.Terminate();
        Assert.Equal(1, (await Eventually.GetAsync(() => HealthCheckAsync(image, service.Address.Port), check => check.ExitCode != 0, "the health check fails")).ExitCode);
        await pdi.HealAsync();

        var receipt = await finalizing;
        Assert.Equal(("finalized", 5450), (Text(receipt, "status"), receipt.GetProperty("newBalance").GetInt32()));
        await service.WaitForExitAsync();
        Assert.Equal(0, service.ExitCode);
        Assert.True(ending.Elapsed < TimeSpan.FromSeconds(30), $"It took {ending.Elapsed} to end.");
    }

    [Fact]
    public async Task It_contains_the_service_and_no_test_or_build_tools()
    {
        var image = await Image.GetAsync();

        var names = image.Files.Select(file => file.Name).ToList();
        Assert.Contains("LoyaltyService.dll", names);
        Assert.Contains("rewards.json", names);
        Assert.DoesNotContain(names, name => name.Contains("Simulator", StringComparison.Ordinal) || name.Contains("xunit", StringComparison.Ordinal) || name == ".env");
        var size = image.Files.Sum(file => file.Length) / 1048576.0;
        TestContext.Current.TestOutputHelper!.WriteLine($"{image.Files.Count} files of {size:F1} MiB.");
        Assert.True(size < MostMegabytes, $"It holds {size:F1} MiB.");
        // Compiled ahead of time: native code of a method follows its header.
        Assert.True(image.Files.Single(file => file.Name == "LoyaltyService.dll").Length > 2 * new FileInfo(typeof(Program).Assembly.Location).Length, "LoyaltyService.dll is not compiled ahead.");
    }

    [Fact]
    public async Task The_simulators_image_serves_unprivileged_on_a_read_only_disk()
    {
        await using var simulator = await ServiceProcess.StartSimulatorImageAsync(await Image.GetSimulatorAsync());
        using var http = new HttpClient { BaseAddress = simulator.Address };

        Assert.Equal(0, (await http.GetFromJsonAsync<JsonElement>("/_simulator/ledger/summary", TestContext.Current.CancellationToken)).GetProperty("finalized").GetInt32());
    }

    [Theory]
    [InlineData("Dockerfile")]
    [InlineData("src/PdiSimulator/Dockerfile")]
    public void It_runs_as_the_base_images_unprivileged_user(string path) =>
        // Numeric, because runAsNonRoot cannot verify a user name.
        Assert.Equal("1654:1654", Dockerfile.Parse(Repository.ReadAllText(path)).Stages[^1].The("USER"));

    [Fact]
    public void Its_versions_match_the_repository()
    {
        var file = Dockerfile.Parse(Repository.ReadAllText("Dockerfile"));
        var sdk = JsonDocument.Parse(Repository.ReadAllText("global.json")).RootElement.GetProperty("sdk").GetProperty("version").GetString();

        Assert.Equal($"{sdk}-noble", file.Stages[0].Tag);
        Assert.Matches(@"^10\.0\.[0-9]+-noble-chiseled$", file.Stages[1].Tag);
        Assert.Contains($"image.version=\"{Release.Version}\"", file.Stages[1].The("LABEL"), StringComparison.Ordinal);
        Assert.True(file.Stages[1].Has("ARG", "COMMIT=unknown"));
        Assert.Contains("image.revision=\"$COMMIT\"", file.Stages[1].The("LABEL"), StringComparison.Ordinal);
        Assert.Equal(Configuration.EnvironmentVariables.Port.Default, file.Stages[1].The("EXPOSE"));
        Assert.StartsWith("--interval=30s --timeout=10s --start-period=40s --retries=3 ", file.Stages[1].The("HEALTHCHECK"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_copied_file_is_in_the_build_context()
    {
        var sent = Repository.ReadAllText(".dockerignore").Split('\n').Where(line => line.StartsWith('!')).Select(line => line[1..]).ToHashSet();

        foreach (var dockerfile in new[] { "Dockerfile", "src/PdiSimulator/Dockerfile" })
        {
            var copied = Dockerfile.Parse(Repository.ReadAllText(dockerfile)).Stages[0].Instructions.Where(instruction => instruction.Word == "COPY").SelectMany(copy => copy.Text.Split(' ')[..^1]);
            Assert.All(copied, path => Assert.Contains(path.Split('/')[0], sent));
        }
    }

    private static Task<Ran> HealthCheckAsync(Image image, int port) =>
        RunAsync(image.Start("HEALTHCHECK", new Dictionary<string, string?> { ["PORT"] = port.ToString() }));

    private static async Task<Ran> RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Ran(process.ExitCode, output);
    }

    private static async Task<JsonElement> PostAsync(HttpClient http, string route, object body)
    {
        using var response = await http.PostAsJsonAsync("/loyalty/" + route, body);
        var answer = await Answer.ReadAsync(response);
        Assert.True(answer.Status is 200, answer.ToString());
        return answer.Json;
    }

    private static string? Text(JsonElement answer, string member) => answer.GetProperty(member).GetString();
}
