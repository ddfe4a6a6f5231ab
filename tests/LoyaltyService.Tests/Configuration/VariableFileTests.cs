using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Configuration;

public sealed class VariableFileTests
{
    public static TheoryData<string> Names => new(EnvironmentVariables.All.Select(variable => variable.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_variable_may_come_from_a_file(string name)
    {
        var environment = Given.Production(
            ("NODE_ENV", "production"), ("JWT_AUTHORITY", "https://login.example.com"), ("JWT_AUDIENCE", "loyalty"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example.com"),
            ("HTTPS_CERTIFICATE", "/etc/tls/tls.crt"), ("HTTPS_KEY", "/etc/tls/tls.key"),
            ("SMTP_URL", "smtps://mail.example.com"), ("MAIL_FROM", "loyalty@example.com"), ("MAIL_TO", "ops@example.com"));
        var expected = Given.Read(environment).ToString();
        var value = environment.GetValueOrDefault(name) ?? EnvironmentVariables.All.Single(variable => variable.Name == name).Default;
        environment.Remove(name);
        environment[name + "_FILE"] = "/run/secrets/value";

        var settings = SettingsReader.Read(environment, path => path == "/run/secrets/value" ? value + "\n" : Given.NoFile(path));

        // API_KEYS keeps the path, to reload the file.
        Assert.Equal(expected, settings.ToString().Replace("ApiKeysFile = /run/secrets/value", "ApiKeysFile = ", StringComparison.Ordinal));
        Assert.Equal(name == "API_KEYS" ? "/run/secrets/value" : null, settings.ApiKeysFile);
    }

    [Theory]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData(" secret ", " secret ")]
    public void A_trailing_newline_is_dropped(string content, string expected)
    {
        var environment = Given.Development(("PDI_CLIENT_SECRET", ""), ("PDI_CLIENT_SECRET_FILE", "/run/secrets/pdi"));

        Assert.Equal(expected, SettingsReader.Read(environment, _ => content).PdiClientSecret);
    }

    [Fact]
    public void A_value_and_a_file_together_are_an_error()
    {
        var error = Given.ErrorOf("PDI_CLIENT_SECRET", Given.Development(("PDI_CLIENT_SECRET_FILE", "/run/secrets/pdi")));

        Assert.Equal("must not be set together with PDI_CLIENT_SECRET_FILE; keep one of them", error);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_an_error_with_its_path()
    {
        var environment = Given.Development(("PDI_CLIENT_SECRET", null), ("PDI_CLIENT_SECRET_FILE", "/run/secrets/missing"));

        Assert.Contains("\"/run/secrets/missing\"", Given.ErrorOf("PDI_CLIENT_SECRET_FILE", environment));
    }

    [Theory]
    [InlineData("SMTP_URL")]
    [InlineData("JWT_AUTHORITY")]
    [InlineData("HTTPS_KEY")]
    public void An_empty_file_causes_no_further_errors(string name)
    {
        var environment = Given.Development((name, null), (name + "_FILE", "/run/secrets/empty"));

        var settings = SettingsReader.Read(environment, _ => "\n");

        Assert.Equal((null, null, null), (settings.Smtp, settings.JwtAuthority, settings.HttpsKey));
    }

    [Fact]
    public void An_empty_file_counts_as_not_set()
    {
        var environment = Given.Development(("PDI_CLIENT_SECRET", null), ("PDI_CLIENT_SECRET_FILE", "/run/secrets/empty"), ("PORT_FILE", "/port"));

        var exception = Assert.Throws<ConfigurationException>(() => SettingsReader.Read(environment, _ => "\n"));

        var error = Assert.Single(exception.Errors);
        Assert.Equal("PDI_CLIENT_SECRET", error.Variable);
        Assert.Contains("PDI_CLIENT_SECRET_FILE names an empty file", error.Description);
    }
}
