using LoyaltyService.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoyaltyService.Tests.Configuration;

public sealed class ConfigurationModuleTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("configuration-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("development", "Development")]
    [InlineData("test", "Test")]
    [InlineData("production", "Production")]
    public void The_host_runs_in_the_configured_environment(string name, string expected)
    {
        var builder = Builder(Given.Production(("NODE_ENV", name)));

        builder.AddEnvironmentConfiguration();

        Assert.Equal(expected, builder.Environment.EnvironmentName);
    }

    [Fact]
    public void The_settings_are_registered()
    {
        var builder = Builder(Given.Production(("PORT", "8080")));

        var settings = builder.AddEnvironmentConfiguration();

        using var app = builder.Build();
        Assert.Equal(8080, settings.Port);
        Assert.Same(settings, app.Services.GetRequiredService<Settings>());
    }

    [Fact]
    public void A_secret_is_read_from_its_file()
    {
        var path = Path.Combine(directory, "secret");
        File.WriteAllText(path, "hüsh\n");

        var settings = Builder(Given.Production(("PDI_CLIENT_SECRET", null), ("PDI_CLIENT_SECRET_FILE", path))).AddEnvironmentConfiguration();

        Assert.Equal("hüsh", settings.PdiClientSecret);
    }

    [Fact]
    public void A_binary_file_an_oversized_file_and_a_directory_are_errors()
    {
        var binary = Path.Combine(directory, "binary");
        File.WriteAllBytes(binary, [0xC3, 0x28]);
        var endless = Path.Combine(directory, "endless");
        File.WriteAllText(endless, new string('x', 64 * 1024 + 1));

        var exception = Assert.Throws<ConfigurationException>(() => Builder(Given.Production(
            ("PORT_FILE", directory), ("LOG_LEVEL_FILE", binary), ("PDI_CLIENT_ID", null), ("PDI_CLIENT_ID_FILE", endless)))
            .AddEnvironmentConfiguration());

        Assert.Equal(["PORT_FILE", "PDI_CLIENT_ID_FILE", "LOG_LEVEL_FILE"], exception.Errors.Select(error => error.Variable));
    }

    // Keeps out the test run's own variables, such as DATABASE_URL.
    private static WebApplicationBuilder Builder(Dictionary<string, string?> values)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        ((IConfigurationBuilder)builder.Configuration).Sources.Clear();
        builder.Configuration.AddInMemoryCollection(values);
        return builder;
    }
}
