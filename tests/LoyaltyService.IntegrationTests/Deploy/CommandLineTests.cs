using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>The program as an operator types it, on a machine with no configuration at all.</summary>
public sealed class CommandLineTests
{
    // An empty value counts as not set.
    private static readonly Dictionary<string, string?> NoConfiguration = EnvironmentVariables.All.ToDictionary(variable => variable.Name, _ => (string?)"");

    [Theory]
    [InlineData("--help")]
    [InlineData("migrate", "--help")]
    [InlineData("key", "create", "--help")]
    public async Task Help_needs_no_configuration(params string[] words) =>
        Assert.Contains("LoyaltyService", (await RunAsync(words)).Succeeded(), StringComparison.Ordinal);

    [Fact]
    public async Task The_version_has_the_commit() => Assert.Equal(Release.Full + Environment.NewLine, (await RunAsync("--version")).Succeeded());

    [Theory]
    [InlineData]
    [InlineData("serve")]
    [InlineData("--urls", "http://127.0.0.1:0")]
    [InlineData("migrate")]
    [InlineData("migrate", "--dry-run")]
    [InlineData("job")]
    [InlineData("job", "clear-cache")]
    [InlineData("check-config")]
    public async Task Without_a_configuration_the_other_commands_exit_with_78(params string[] words)
    {
        var ran = await RunAsync(words);

        Assert.Equal(78, ran.ExitCode);
        Assert.StartsWith("The configuration is not usable;", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_service_fails_the_health_check_with_1() =>
        Assert.Equal(1, (await Ran.ToItsEndAsync("dotnet", [Program, "healthcheck"], new Dictionary<string, string?> { ["PORT"] = $"{FreePort.Find()}" })).ExitCode);

    private static string Program => typeof(LoyaltyService.Program).Assembly.Location;

    private static Task<Ran> RunAsync(params string[] words) => Ran.ToItsEndAsync("dotnet", [Program, .. words], NoConfiguration);
}
