using CsCheck;
using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Configuration;

public sealed class SecretsTests
{
    [Fact]
    public void Printed_settings_contain_every_setting_and_no_secret()
    {
        var settings = Given.Read(Given.Production(
            ("PDI_CLIENT_SECRET", "hush-client"), ("SMTP_URL", "smtps://loyalty:hush-mail@mail.example.com"), ("MAIL_FROM", "a@example.com"), ("MAIL_TO", "b@example.com")));

        var printed = settings.ToString();

        Assert.All(typeof(Settings).GetProperties(), property => Assert.Contains($"{property.Name} = ", printed));
        Assert.DoesNotContain("hush", printed);
        Assert.DoesNotContain(Given.HashA, printed);
    }

    [Fact]
    public void Printed_parts_contain_no_secret()
    {
        var settings = Given.Read(Given.Production());

        Assert.Equal("postgresql://db.example.com:5432/loyalty", settings.Database.ToString());
        Assert.Equal("rediss://cache.example.com:6379/0", settings.Redis.ToString());
        Assert.Equal("till (Loyalty)", Assert.Single(settings.ApiKeys).ToString());
    }

    [Theory]
    [InlineData("DATABASE_URL", "hush")]
    [InlineData("DATABASE_URL", "postgresql://loyalty:hush/hush@db.example.com/loyalty")]
    [InlineData("DATABASE_URL", "postgresql://loyalty:1/hush?hush=hush@db.example.com/loyalty")]
    [InlineData("DATABASE_URL", "postgresql://loyalty:hush@hush@db.example.com/loyalty")]
    [InlineData("DATABASE_URL", "postgresql://loyalty:hush%zz@db.example.com/loyalty")]
    [InlineData("DATABASE_URL", "postgresql://loyalty:hush@db.example.com/loyalty?connect_timeout=hush")]
    [InlineData("REDIS_URL", "redis://hush@cache.example.com")]
    [InlineData("REDIS_URL", "redis://:hush@cache.example.com?hush")]
    [InlineData("REDIS_URL", "redis://:hush@cache.example.com/hush")]
    [InlineData("API_KEYS", "hush")]
    [InlineData("API_KEYS", "hush:hush:hush")]
    [InlineData("API_KEYS", "till:loyalty:hush")]
    [InlineData("PDI_CLIENT_SECRET", "hush\u0001")]
    [InlineData("SMTP_URL", "hush")]
    [InlineData("SMTP_URL", "smtp://hush@mail.example.com")]
    [InlineData("SMTP_URL", "smtp://loyalty:hush/hush@mail.example.com/hush")]
    [InlineData("SMTP_URL", "smtp://loyalty:hush@hush@mail.example.com")]
    public void An_error_quotes_no_part_of_a_secret(string name, string value) =>
        Assert.DoesNotContain("hush", Given.ErrorOf(name, Given.Production(("MAIL_FROM", "a@example.com"), ("MAIL_TO", "b@example.com"), (name, value))));

    [Fact]
    public void An_error_about_a_secret_depends_only_on_its_format() =>
        Gen.Select(Gen.OneOf("DATABASE_URL", "REDIS_URL", "API_KEYS"), UrlText.Any).Sample((name, text) =>
        {
            try
            {
                Given.Read(Given.Development((name, $"{text}√√√√{text}")));
            }
            catch (ConfigurationException exception)
            {
                Assert.DoesNotContain("√", exception.Message);
            }
        });

    [Fact]
    public void The_table_marks_secret_variables() =>
        Assert.All(EnvironmentVariables.All, variable => Assert.Equal(variable.IsSecret, variable.Description.EndsWith("(secret).", StringComparison.Ordinal)));
}
