using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Configuration;

public sealed class ConfigurationExceptionTests
{
    [Fact]
    public void Errors_are_written_one_per_line()
    {
        using var writer = new StringWriter { NewLine = "\n" };

        new ConfigurationException([new("PORT", "must be a whole number"), new("LOG_LEVEL", "must be debug")]).Write(writer);

        Assert.Equal(
            "The configuration is not usable; 2 errors:\n  PORT: must be a whole number\n  LOG_LEVEL: must be debug\n",
            writer.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_single_error_is_worded_in_the_singular() =>
        Assert.StartsWith("The configuration is not usable; 1 error:", new ConfigurationException([new("PORT", "must be set")]).Message);

    [Fact]
    public void The_exit_code_marks_a_configuration_error() => Assert.Equal(78, ConfigurationException.ExitCode);
}
