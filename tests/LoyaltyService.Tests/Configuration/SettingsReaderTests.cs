using LoyaltyService.Configuration;
using Microsoft.Extensions.Logging;

namespace LoyaltyService.Tests.Configuration;

public sealed class SettingsReaderTests
{
    [Fact]
    public void Outside_production_only_PDI_is_required()
    {
        var settings = Given.Read(Given.Development());

        Assert.Equal(AppEnvironment.Development, settings.Environment);
        Assert.Equal(3000, settings.Port);
        Assert.Equal(new SqliteUrl("data/loyalty.db"), settings.Database);
        Assert.Equal(new MemoryUrl(), settings.Redis);
        Assert.Equal(new Uri("https://pdi.example.com/"), settings.PdiApiUrl);
        Assert.Equal("client", settings.PdiClientId);
        Assert.Equal("hush-client", settings.PdiClientSecret);
        Assert.Equal(LogLevel.Information, settings.LogLevel);
        Assert.Equal(TimeSpan.FromHours(24), settings.SessionTtl);
        Assert.Empty(settings.ApiKeys);
        Assert.Null(settings.JwtAuthority);
        Assert.Null(settings.JwtAudience);
        Assert.Equal(1000, settings.RateLimitGlobalPerSecond);
        Assert.Equal(100, settings.RateLimitCustomerPerSecond);
        Assert.Equal(500, settings.RateLimitIpPerMinute);
        Assert.Empty(settings.RateLimitClients);
        Assert.Empty(settings.TrustedProxies);
        Assert.Null(settings.HttpsCertificate);
        Assert.Null(settings.HttpsKey);
        Assert.Null(settings.OtlpEndpoint);
        Assert.Equal(1000, settings.QueueMaxItems);
        Assert.True(settings.AutoMigrate);
    }

    [Fact]
    public void Every_variable_reaches_its_setting()
    {
        var settings = Given.Read(Given.Production(
            ("NODE_ENV", "TEST"), ("PORT", "0"), ("LOG_LEVEL", "Warn"), ("SESSION_TTL_HOURS", "8760"),
            ("JWT_AUTHORITY", "https://login.example.com"), ("JWT_AUDIENCE", "loyalty"),
            ("RATE_LIMIT_GLOBAL_PER_SECOND", "0"), ("RATE_LIMIT_CUSTOMER_PER_SECOND", "1"), ("RATE_LIMIT_IP_PER_MINUTE", "2"),
            ("RATE_LIMIT_CLIENTS", "delivery:6000, kiosk:0, jwt:shop:600, jwt-sub:auth0|7:5"), ("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,fd00::/8"),
            ("HTTPS_CERTIFICATE", "/tls/tls.crt"), ("HTTPS_KEY", "/tls/tls.key"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example.com:4317"), ("QUEUE_MAX_ITEMS", "1"), ("AUTO_MIGRATE", "0")));

        Assert.Equal(AppEnvironment.Test, settings.Environment);
        Assert.Equal(0, settings.Port);
        Assert.IsType<PostgresUrl>(settings.Database);
        Assert.IsType<RedisServerUrl>(settings.Redis);
        Assert.Equal(LogLevel.Warning, settings.LogLevel);
        Assert.Equal(TimeSpan.FromHours(8760), settings.SessionTtl);
        Assert.Equal("till", Assert.Single(settings.ApiKeys).Client);
        Assert.Equal(new Uri("https://login.example.com"), settings.JwtAuthority);
        Assert.Equal("loyalty", settings.JwtAudience);
        Assert.Equal(0, settings.RateLimitGlobalPerSecond);
        Assert.Equal(1, settings.RateLimitCustomerPerSecond);
        Assert.Equal(2, settings.RateLimitIpPerMinute);
        Assert.Equal(new Dictionary<string, int> { ["delivery"] = 6000, ["kiosk"] = 0, ["jwt:shop"] = 600, ["jwt-sub:auth0|7"] = 5 }, settings.RateLimitClients);
        Assert.Equal(["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"], settings.TrustedProxies.Select(proxy => proxy.ToString()));
        Assert.Equal(("/tls/tls.crt", "/tls/tls.key"), (settings.HttpsCertificate, settings.HttpsKey));
        Assert.Equal(new Uri("http://collector.example.com:4317"), settings.OtlpEndpoint);
        Assert.Equal(1, settings.QueueMaxItems);
        Assert.False(settings.AutoMigrate);
    }

    [Fact]
    public void The_environment_defaults_to_production() =>
        Assert.Equal(AppEnvironment.Production, Given.Read(Given.Production()).Environment);

    [Fact]
    public void ASPNETCORE_ENVIRONMENT_overrides_NODE_ENV() =>
        Assert.Equal(AppEnvironment.Test, Given.Read(Given.Production(("NODE_ENV", "production"), ("ASPNETCORE_ENVIRONMENT", "Test"))).Environment);

    [Fact]
    public void An_error_in_ASPNETCORE_ENVIRONMENT_names_that_variable() =>
        Given.ErrorOf("ASPNETCORE_ENVIRONMENT", Given.Development(("ASPNETCORE_ENVIRONMENT", "Staging")));

    [Theory]
    [InlineData("NODE_ENV", "staging", "must be development, test or production, but is \"staging\"")]
    [InlineData("PORT", "abc", "must be a whole number from 0 to 65535, but is \"abc\"")]
    [InlineData("PORT", "65536", "must be a whole number from 0 to 65535, but is \"65536\"")]
    [InlineData("PORT", "-1", "must be a whole number from 0 to 65535, but is \"-1\"")]
    [InlineData("PORT", " 80", "must be a whole number from 0 to 65535, but is \" 80\"")]
    [InlineData("PORT", "8\n0", "must be a whole number from 0 to 65535, but is \"8\uFFFD0\"")]
    [InlineData("LOG_LEVEL", "verbose", "must be debug, info, warn or error, but is \"verbose\"")]
    [InlineData("SESSION_TTL_HOURS", "0", "must be a whole number from 1 to 8760, but is \"0\"")]
    [InlineData("SESSION_TTL_HOURS", "8761", "must be a whole number from 1 to 8760, but is \"8761\"")]
    [InlineData("RATE_LIMIT_GLOBAL_PER_SECOND", "1.5", "must be a whole number from 0 to 2147483647, but is \"1.5\"")]
    [InlineData("RATE_LIMIT_CLIENTS", "delivery", "must have entries of the form name:requests-a-minute, such as delivery:6000, or jwt:client_id:requests-a-minute for a token's client, but is \"delivery\"")]
    [InlineData("RATE_LIMIT_CLIENTS", "delivery:-1", "must have entries of the form name:requests-a-minute, such as delivery:6000, or jwt:client_id:requests-a-minute for a token's client, but is \"delivery:-1\"")]
    [InlineData("RATE_LIMIT_CLIENTS", ":5", "must have entries of the form name:requests-a-minute, such as delivery:6000, or jwt:client_id:requests-a-minute for a token's client, but is \":5\"")]
    [InlineData("RATE_LIMIT_CLIENTS", "delivery:5,", "must have entries of the form name:requests-a-minute, such as delivery:6000, or jwt:client_id:requests-a-minute for a token's client, but is \"delivery:5,\"")]
    [InlineData("RATE_LIMIT_CLIENTS", "a:b:5", "must have entries of the form name:requests-a-minute, such as delivery:6000, or jwt:client_id:requests-a-minute for a token's client, but is \"a:b:5\"")]
    [InlineData("RATE_LIMIT_CLIENTS", "jwt::5", "must have entries of the form name:requests-a-minute, such as delivery:6000, or jwt:client_id:requests-a-minute for a token's client, but is \"jwt::5\"")]
    [InlineData("RATE_LIMIT_CLIENTS", "a:1,a:2", "must name each client once, but is \"a:1,a:2\"")]
    [InlineData("TRUSTED_PROXIES", "10", "must have addresses and networks such as 10.0.0.0/8, 192.0.2.1 or fd00::/8, but is \"10\"")]
    [InlineData("TRUSTED_PROXIES", "proxy.example.com", "must have addresses and networks such as 10.0.0.0/8, 192.0.2.1 or fd00::/8, but is \"proxy.example.com\"")]
    [InlineData("TRUSTED_PROXIES", "10.0.0.0/33", "must have addresses and networks such as 10.0.0.0/8, 192.0.2.1 or fd00::/8, but is \"10.0.0.0/33\"")]
    [InlineData("TRUSTED_PROXIES", "10.0.0.0/8,", "must have addresses and networks such as 10.0.0.0/8, 192.0.2.1 or fd00::/8, but is \"10.0.0.0/8,\"")]
    [InlineData("TRUSTED_PROXIES", "0.0.0.0/0", "must not name a network of all addresses: any caller could then choose its own address, but is \"0.0.0.0/0\"")]
    [InlineData("TRUSTED_PROXIES", "::/0", "must not name a network of all addresses: any caller could then choose its own address, but is \"::/0\"")]
    [InlineData("QUEUE_MAX_ITEMS", "0", "must be a whole number from 1 to 2147483647, but is \"0\"")]
    [InlineData("AUTO_MIGRATE", "yes", "must be true or false, but is \"yes\"")]
    [InlineData("PDI_ALLOW_HTTP", "2", "must be true or false, but is \"2\"")]
    [InlineData("PDI_API_URL", "pdi.example.com", "must be an absolute http or https URL, such as https://service.example.com/, but is \"pdi.example.com\"")]
    [InlineData("PDI_API_URL", "https://pdi.example.com/?a=b", "must have no query and no fragment (? or #), but is \"https://pdi.example.com/?a=b\"")]
    [InlineData("PDI_API_URL", "https://user:hush@pdi.example.com/", "must have no user and no password in it")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://a.example.com", "must be an absolute http or https URL, such as https://service.example.com/, but is \"ftp://a.example.com\"")]
    [InlineData("PDI_CLIENT_ID", "a\tb", "must be one line of text without control characters, but is \"a\uFFFDb\"")]
    [InlineData("PDI_CLIENT_SECRET", "hush\nhush", "must be one line of text without control characters")]
    public void An_error_says_what_to_write_instead(string name, string value, string expected) =>
        Assert.Equal(expected, Given.ErrorOf(name, Given.Development((name, value))));

    [Fact]
    public void A_long_value_is_truncated_in_the_error() =>
        Assert.EndsWith(new string('x', 100) + "…\"", Given.ErrorOf("PORT", Given.Development(("PORT", new string('x', 10_000)))));

    [Fact]
    public void All_errors_are_listed_together()
    {
        var errors = Given.ErrorsOf(new() { ["PORT"] = "abc", ["LOG_LEVEL"] = "loud", ["JWT_AUTHORITY"] = "http://login.example.com" });

        Assert.Equal(
            ["DATABASE_URL", "JWT_AUDIENCE", "JWT_AUTHORITY", "LOG_LEVEL", "PDI_API_URL", "PDI_CLIENT_ID", "PDI_CLIENT_SECRET", "PORT", "REDIS_URL"],
            errors.Select(error => error.Variable).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Production_requires_database_Redis_and_keys() =>
        Assert.Equal(
            ["DATABASE_URL", "REDIS_URL", "API_KEYS"],
            Given.ErrorsOf(Given.Production(("DATABASE_URL", null), ("REDIS_URL", ""), ("API_KEYS", null))).Select(error => error.Variable));

    [Fact]
    public void An_unknown_environment_adds_no_production_errors() =>
        Given.ErrorOf("NODE_ENV", Given.Development(("NODE_ENV", "develop"), ("PDI_API_URL", "http://pdi.example.com")));

    [Fact]
    public void Production_accepts_explicitly_configured_embedded_storage()
    {
        var settings = Given.Read(Given.Production(("DATABASE_URL", "sqlite:/var/lib/loyalty.db"), ("REDIS_URL", "memory:")));

        Assert.Equal(new SqliteUrl("/var/lib/loyalty.db"), settings.Database);
        Assert.Equal(new MemoryUrl(), settings.Redis);
    }

    [Theory]
    [InlineData("http://pdi.example.com", "false", false)]
    [InlineData("http://pdi.example.com", "TRUE", true)]
    [InlineData("http://pdi.example.com", "1", true)]
    [InlineData("http://localhost:4000", "false", true)]
    [InlineData("http://127.0.0.1:4000", "false", true)]
    [InlineData("http://[::1]:4000", "false", true)]
    [InlineData("http://localhost.example.com", "false", false)]
    [InlineData("https://pdi.example.com", "false", true)]
    public void Production_requires_https_for_PDI(string url, string allowHttp, bool accepted)
    {
        var environment = Given.Production(("PDI_API_URL", url), ("PDI_ALLOW_HTTP", allowHttp));

        if (accepted)
            Assert.Equal(new Uri(url), Given.Read(environment).PdiApiUrl);
        else
            Assert.Contains("https", Given.ErrorOf("PDI_API_URL", environment));
    }

    [Fact]
    public void Outside_production_PDI_may_use_plain_http() =>
        Assert.Equal(new Uri("http://pdi.example.com"), Given.Read(Given.Development(("PDI_API_URL", "http://pdi.example.com"))).PdiApiUrl);

    [Fact]
    public void The_PDI_path_ends_with_a_slash() =>
        Assert.Equal(
            "https://pdi.example.com/v1/identify",
            new Uri(Given.Read(Given.Development(("PDI_API_URL", "https://pdi.example.com/v1"))).PdiApiUrl, "identify").AbsoluteUri);

    [Fact]
    public void Bearer_tokens_make_keys_optional_in_production()
    {
        var settings = Given.Read(Given.Production(
            ("API_KEYS", null), ("JWT_AUTHORITY", "https://login.example.com"), ("JWT_AUDIENCE", "loyalty")));

        Assert.Empty(settings.ApiKeys);
    }

    [Fact]
    public void A_bad_authority_is_one_error_and_keys_stay_optional() =>
        Given.ErrorOf("JWT_AUTHORITY", Given.Production(("API_KEYS", null), ("JWT_AUTHORITY", "login"), ("JWT_AUDIENCE", "loyalty")));

    [Fact]
    public void Production_requires_https_for_the_authority() =>
        Assert.Contains("https", Given.ErrorOf("JWT_AUTHORITY", Given.Production(("JWT_AUTHORITY", "http://login.example.com"), ("JWT_AUDIENCE", "a"))));

    [Fact]
    public void An_authority_needs_an_audience() =>
        Given.ErrorOf("JWT_AUDIENCE", Given.Development(("JWT_AUTHORITY", "https://login.example.com")));

    [Fact]
    public void Certificate_and_key_require_each_other()
    {
        Given.ErrorOf("HTTPS_KEY", Given.Development(("HTTPS_CERTIFICATE", "/tls/tls.crt")));
        Given.ErrorOf("HTTPS_CERTIFICATE", Given.Development(("HTTPS_KEY", "/tls/tls.key")));
    }

    [Fact]
    public void An_unknown_variable_is_ignored() => Given.Read(Given.Development(("PORTS", "abc")));
}
