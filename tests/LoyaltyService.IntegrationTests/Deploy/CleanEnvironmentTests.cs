using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>The checklist runs the tests in a shell that exports a release's variables.</summary>
public sealed class CleanEnvironmentTests
{
    [Fact]
    public void Tests_start_without_the_services_variables()
    {
        Assert.All(CleanEnvironment.Names, name => Assert.Null(Environment.GetEnvironmentVariable(name)));
        // An empty variable counts as set.
        Assert.DoesNotContain(CleanEnvironment.Names, name => Environment.GetEnvironmentVariables().Contains(name));
    }

    [Fact]
    public async Task Exported_variables_reach_no_service_under_test()
    {
        var release = new Dictionary<string, string?>
        {
            ["NODE_ENV"] = "production",
            ["API_KEYS_FILE"] = "/run/secrets/api-keys",
            ["JWT_AUTHORITY"] = "https://login.example.com/",
            ["SMTP_URL"] = "smtps://loyalty:secret@mail.example.com",
            ["MAIL_TO"] = "ops@example.com",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector.example.com:4317",
            ["OTEL_TRACES_SAMPLER"] = "always_off",
            ["SMOKE_API_KEY"] = "secret",
        };

        // Runs this test program again: the test above, one with an in-process service and one with a separate process.
        var ran = await Ran.ToItsEndAsync(
            "dotnet",
            [
                typeof(CleanEnvironmentTests).Assembly.Location, "-noColor", "-method", $"{typeof(CleanEnvironmentTests).FullName}.{nameof(Tests_start_without_the_services_variables)}",
                "-method", $"{typeof(SmokeTests).FullName}.{nameof(SmokeTests.A_working_service_passes_with_a_complete_sale)}",
                "-method", $"{typeof(ChecklistTests).FullName}.{nameof(ChecklistTests.After_a_deployment_it_makes_a_sale)}",
            ],
            release);

        Assert.True(ran.ExitCode == 0, ran.Output);
        Assert.Contains("Total: 3, Errors: 0, Failed: 0, Skipped: 0", ran.Output, StringComparison.Ordinal);
    }
}
