using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>The checklist runs the tests where a release's variables are exported.</summary>
public sealed class CleanEnvironmentTests
{
    [Fact]
    public void No_variable_of_the_service_is_set_that_a_test_has_not_given()
    {
        Assert.All(CleanEnvironment.Names, name => Assert.Null(Environment.GetEnvironmentVariable(name)));
        // An empty variable is a set one.
        Assert.DoesNotContain(CleanEnvironment.Names, name => Environment.GetEnvironmentVariables().Contains(name));
    }

    [Fact]
    public async Task Exported_variables_of_a_release_reach_neither_a_service_in_this_process_nor_one_in_its_own()
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

        // The test above, and one of a service in its process and one of a service in its own, by another run of all these tests' program.
        var ran = await Ran.ToItsEndAsync(
            "dotnet",
            [
                typeof(CleanEnvironmentTests).Assembly.Location, "-noColor", "-method", $"{typeof(CleanEnvironmentTests).FullName}.{nameof(No_variable_of_the_service_is_set_that_a_test_has_not_given)}",
                "-method", $"{typeof(SmokeTests).FullName}.{nameof(SmokeTests.A_service_that_works_passes_with_a_whole_sale)}",
                "-method", $"{typeof(ChecklistTests).FullName}.{nameof(ChecklistTests.After_a_deployment_it_makes_a_sale_at_the_service)}",
            ],
            release);

        Assert.True(ran.ExitCode == 0, ran.Output);
        Assert.Contains("Total: 3, Errors: 0, Failed: 0, Skipped: 0", ran.Output, StringComparison.Ordinal);
    }
}
