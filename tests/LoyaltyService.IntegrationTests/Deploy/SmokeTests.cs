using LoyaltyService.Commands;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>Runs the smoke test against a real service: it passes a healthy one and names each fault.</summary>
public sealed class SmokeTests
{
    [Fact]
    public async Task A_working_service_passes_with_a_complete_sale()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);

        var (exitCode, rows) = await SmokeAsync(app);

        Assert.True(exitCode == 0, string.Join('\n', rows));
        Assert.Equal(
            ["health", "ready", "dependencies", "identify", "calculate", "finalize", "finalize again", "status", "metrics"],
            rows.Select(row => row[..16].Trim()));
        Assert.Equal(1, (await app.Pdi.SummaryAsync()).GetProperty("finalized").GetInt32());
    }

    [Fact]
    public async Task Without_PDI_it_fails_and_names_the_step()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        await app.Pdi.FaultAsync("all", new { kind = "status", status = 500 });

        var (exitCode, rows) = await SmokeAsync(app);

        Assert.Equal(1, exitCode);
        Assert.Equal(["identify", "calculate", "finalize", "status", "metrics"], Failed(rows).Where(name => name != "dependencies" && name != "ready" && name != "finalize again"));
    }

    [Fact]
    public async Task It_distinguishes_an_unknown_customer_from_a_bad_key()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres, new() { ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("not a secret")}" });

        var unknown = await SmokeAsync(app, "not a secret", "CUST-NOBODY");
        var refused = await SmokeAsync(app, "wrong");

        Assert.Contains("UNKNOWN_CUSTOMER", unknown.Rows.Single(row => row.StartsWith("identify", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("401", refused.Rows.Single(row => row.StartsWith("identify", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal((1, 1), (unknown.ExitCode, refused.ExitCode));
    }

    [Fact]
    public async Task An_unreachable_service_fails_every_row()
    {
        await using var output = new StringWriter();

        var exitCode = await Smoke.RunAsync(new SmokeOptions(new Uri($"http://127.0.0.1:{FreePort.Find()}/"), null, null, "CUST-12345"), output);

        Assert.Equal(1, exitCode);
        Assert.EndsWith("9 failed." + Environment.NewLine, output.ToString(), StringComparison.Ordinal);
    }

    internal static IEnumerable<string> Failed(IEnumerable<string> rows) => rows.Where(row => row[16..22] == "FAILED").Select(row => row[..16].Trim());

    private static async Task<(int ExitCode, string[] Rows)> SmokeAsync(LoyaltyApp app, string? key = null, string customer = "CUST-12345")
    {
        await using var output = new StringWriter { NewLine = "\n" };
        var exitCode = await Smoke.RunAsync(new SmokeOptions(new Uri(app.Address, "/"), null, key, customer), output);
        return (exitCode, output.ToString().Split('\n')[..^2]);
    }
}
