using LoyaltyService.Commands;
using LoyaltyService.Configuration;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Commands;

public sealed class CheckConfigCommandTests
{
    [Fact]
    public async Task It_prints_every_setting_and_no_secret()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "hush-from-a-file", TestContext.Current.CancellationToken);
        var environment = Given.Production(("PORT", "8080"), ("PDI_CLIENT_SECRET", null), ("PDI_CLIENT_SECRET_FILE", file));
        await using var output = new StringWriter { NewLine = "\n" };

        Assert.Equal(0, await CheckConfigCommand.RunAsync(environment.GetValueOrDefault, output));

        File.Delete(file);
        var lines = output.ToString().Split('\n')[..^1];
        Assert.Equal(EnvironmentVariables.All.Select(variable => variable.Name), lines[..^1].Select(line => line.Split(' ')[0]));
        Assert.Equal("The configuration is usable, for production.", lines[^1]);
        Assert.Equal(("8080", "(secret)", $"from {file}", "24 (default)", "–"), (Of("PORT"), Of("DATABASE_URL"), Of("PDI_CLIENT_SECRET"), Of("SESSION_TTL_HOURS"), Of("JWT_AUTHORITY")));
        Assert.DoesNotContain("hush", output.ToString(), StringComparison.Ordinal);

        string Of(string name) => lines.Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[name.Length..].Trim();
    }

    [Fact]
    public async Task It_rejects_what_startup_would_reject()
    {
        var environment = Given.Production(("PORT", "abc"), ("PDI_CLIENT_ID", null));

        var refused = await Assert.ThrowsAsync<ConfigurationException>(() => CheckConfigCommand.RunAsync(environment.GetValueOrDefault, TextWriter.Null));

        Assert.Equal(["PDI_CLIENT_ID", "PORT"], refused.Errors.Select(error => error.Variable).Order());
    }

    [Fact]
    public async Task Outside_production_the_defaults_suit_a_laptop()
    {
        await using var output = new StringWriter();

        await CheckConfigCommand.RunAsync(Given.Development().GetValueOrDefault, output);

        Assert.Contains("sqlite:data/loyalty.db (default)", output.ToString(), StringComparison.Ordinal);
    }
}
