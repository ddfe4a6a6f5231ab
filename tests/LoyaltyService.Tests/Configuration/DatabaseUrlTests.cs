using CsCheck;
using LoyaltyService.Configuration;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace LoyaltyService.Tests.Configuration;

public sealed class DatabaseUrlTests
{
    [Fact]
    public void A_full_URL_reaches_Npgsql()
    {
        var npgsql = Postgres(
            "postgresql://loy%40lty:p%3A%2F%40%25@db.example.com:6000/loyal%2Fty?sslmode=verify-full&sslrootcert=/etc/ca.pem"
            + "&sslcert=/etc/client.pem&sslkey=/etc/client.key&application_name=loyalty%20service&connect_timeout=7"
            + "&target_session_attrs=read-write&options=-c%20search_path%3Dloyalty").ToNpgsql();

        Assert.Equal("db.example.com", npgsql.Host);
        Assert.Equal(6000, npgsql.Port);
        Assert.Equal("loy@lty", npgsql.Username);
        Assert.Equal("p:/@%", npgsql.Password);
        Assert.Equal("loyal/ty", npgsql.Database);
        Assert.Equal(SslMode.VerifyFull, npgsql.SslMode);
        Assert.Equal("/etc/ca.pem", npgsql.RootCertificate);
        Assert.Equal("/etc/client.pem", npgsql.SslCertificate);
        Assert.Equal("/etc/client.key", npgsql.SslKey);
        Assert.Equal("loyalty service", npgsql.ApplicationName);
        Assert.Equal(7, npgsql.Timeout);
        Assert.Equal("read-write", npgsql.TargetSessionAttributes);
        Assert.Equal("-c search_path=loyalty", npgsql.Options);
    }

    [Fact]
    public void Omitted_settings_are_left_to_storage() =>
        Assert.Equal("GSS Encryption Mode=Disable;Host=db.example.com;Port=5432", Postgres("postgres://db.example.com").ToNpgsql().ConnectionString);

    [Theory]
    [InlineData("postgresql://a.example.com:1,b.example.com,[2001:db8::1]:3,[::1]/db", "a.example.com:1,b.example.com:5432,[2001:db8::1]:3,[::1]:5432")]
    [InlineData("postgresql://[::1]/db", "::1")]
    [InlineData("postgresql://[::1]:6000/db", "::1")]
    [InlineData("postgresql://%2Fvar%2Frun%2Fpostgresql/db", "/var/run/postgresql")]
    [InlineData("POSTGRESQL://192.0.2.1:/db", "192.0.2.1")]
    public void Hosts_reach_Npgsql_in_its_format(string url, string host) => Assert.Equal(host, Postgres(url).ToNpgsql().Host);

    [Fact]
    public void A_data_source_tries_all_listed_hosts()
    {
        using var dataSource = new NpgsqlDataSourceBuilder(
            Postgres("postgresql://[::1]:5432,b.example.com/db?target_session_attrs=primary").ToNpgsql().ConnectionString).BuildMultiHost();

        Assert.Contains("[::1]:5432,b.example.com:5432", dataSource.ConnectionString);
    }

    [Theory]
    [InlineData("postgresql://loyalty@db.example.com/db", "loyalty", null)]
    [InlineData("postgresql://loyalty:@db.example.com/db", "loyalty", null)]
    [InlineData("postgresql://:secret@db.example.com/db", null, "secret")]
    [InlineData("postgresql://loyalty:se:cr?et@db.example.com/db", "loyalty", "se:cr?et")]
    public void Credentials_end_at_the_first_at_sign(string url, string? user, string? password)
    {
        var postgres = Postgres(url);

        Assert.Equal(user, postgres.User);
        Assert.Equal(password, postgres.Password);
    }

    [Theory]
    [InlineData("disable", SslMode.Disable)]
    [InlineData("allow", SslMode.Allow)]
    [InlineData("prefer", SslMode.Prefer)]
    [InlineData("require", SslMode.Require)]
    [InlineData("verify-ca", SslMode.VerifyCA)]
    [InlineData("verify-full", SslMode.VerifyFull)]
    public void Every_libpq_sslmode_is_supported(string text, SslMode expected) =>
        Assert.Equal(expected, Postgres($"postgresql://db.example.com/?sslmode={text}").ToNpgsql().SslMode);

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    public void Npgsql_accepts_every_timeout_the_URL_allows(int seconds) =>
        Assert.Equal(seconds, Postgres($"postgresql://db.example.com/?connect_timeout={seconds}").ToNpgsql().Timeout);

    [Theory]
    [InlineData("sslmode=require&sslrootcert=/etc/ca.pem", SslMode.VerifyCA, "/etc/ca.pem")]
    [InlineData("sslrootcert=/etc/ca.pem&sslmode=require", SslMode.VerifyCA, "/etc/ca.pem")]
    [InlineData("sslrootcert=system", SslMode.VerifyFull, null)]
    public void A_root_certificate_is_verified_as_in_libpq(string parameters, SslMode mode, string? certificate)
    {
        var postgres = Postgres($"postgresql://db.example.com/?{parameters}");

        Assert.Equal(mode, postgres.SslMode);
        Assert.Equal(certificate, postgres.RootCertificate);
    }

    [Theory]
    [InlineData("mysql://db.example.com/db", "postgresql://")]
    [InlineData("db.example.com", "postgresql://")]
    [InlineData("postgresql://", "name a host")]
    [InlineData("postgresql:///db", "name a host")]
    [InlineData("postgresql://a.example.com,,b.example.com/db", "name a host")]
    [InlineData("postgresql://a.example.com:0/db", "port from 1 to 65535")]
    [InlineData("postgresql://a.example.com:65536/db", "port from 1 to 65535")]
    [InlineData("postgresql://a.example.com:+1/db", "port from 1 to 65535")]
    [InlineData("postgresql://::1/db", "brackets")]
    [InlineData("postgresql://[::1/db", "between [ and ]")]
    [InlineData("postgresql://[192.0.2.1]/db", "between [ and ]")]
    [InlineData("postgresql://a b/db", "letters, digits")]
    [InlineData("postgresql://a%2Cb/db", "letters, digits")]
    [InlineData("postgresql://u:%zz@a.example.com/db", "hexadecimal")]
    [InlineData("postgresql://u:%00@a.example.com/db", "hexadecimal")]
    [InlineData("postgresql://u:p%0A@a.example.com/db", "no control characters")]
    [InlineData("postgresql://u:p\n@a.example.com/db", "no control characters")]
    [InlineData("postgresql://u:%ff@a.example.com/db", "UTF-8")]
    [InlineData("postgresql://u:p@q@a.example.com/db", "only one @")]
    [InlineData("postgresql://u:p/q@a.example.com/db", "only one @")]
    [InlineData("postgresql://a.example.com/db?sslmod=require", "unknown parameter sslmod;")]
    [InlineData("postgresql://a.example.com/db?password=x", "unknown parameter password;")]
    [InlineData("postgresql://a.example.com/db?ssl%20mode=x", "unknown parameter;")]
    [InlineData("postgresql://a.example.com/db?sslmode=on", "verify-full")]
    [InlineData("postgresql://a.example.com/db?sslmode=allow&sslmode=require", "sslmode only once")]
    [InlineData("postgresql://a.example.com/db?sslmode", "name=value")]
    [InlineData("postgresql://a.example.com/db?options=-c a=b", "name=value")]
    [InlineData("postgresql://a.example.com/db?sslcert=", "a value")]
    [InlineData("postgresql://a.example.com/db?connect_timeout=0", "1 to 1024")]
    [InlineData("postgresql://a.example.com/db?target_session_attrs=leader", "read-write")]
    [InlineData("postgresql://a.example.com/db?sslrootcert=system&sslmode=require", "verify-full")]
    [InlineData("sqlite:", "name a file")]
    [InlineData("sqlite:data/", "name a file")]
    [InlineData("sqlite::memory:", "restart")]
    [InlineData("sqlite://data/loyalty.db", "sqlite:data/loyalty.db")]
    [InlineData("sqlite:file:x?mode=memory", "sqlite:data/loyalty.db")]
    [InlineData("sqlite:a\0b", "control")]
    public void An_error_states_the_mistake(string url, string expected)
    {
        var parsed = DatabaseUrl.Parse(url);

        Assert.Contains(expected, Assert.Single(parsed.Problems).Description);
    }

    [Theory]
    [InlineData("sqlite:data/loyalty.db", "data/loyalty.db")]
    [InlineData("SQLite:/var/lib/100%25 ü.db", "/var/lib/100%25 ü.db")]
    public void A_SQLite_path_is_taken_literally(string url, string path) =>
        Assert.Equal(path, Assert.IsType<SqliteUrl>(DatabaseUrl.Parse(url).Value).SqlitePath);

    [Fact]
    public void Any_text_yields_a_usable_URL_or_one_error() => UrlText.Any.Sample(text =>
    {
        var parsed = DatabaseUrl.Parse(text);

        if (parsed.Value is PostgresUrl postgres)
            _ = new NpgsqlConnectionStringBuilder(postgres.ToNpgsql().ConnectionString);
        else if (parsed.Value is SqliteUrl sqlite)
            _ = new SqliteConnectionStringBuilder { DataSource = sqlite.SqlitePath }.ConnectionString;
        else
            Assert.Single(parsed.Problems);
    }, iter: 20_000);

    [Fact]
    public void Percent_encoded_credentials_and_database_survive() =>
        Gen.Select(UnicodeText.Any, UnicodeText.Any, UnicodeText.Any).Sample((user, password, database) =>
        {
            var url = $"postgresql://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@db.example.com/{Uri.EscapeDataString(database)}";

            var npgsql = new NpgsqlConnectionStringBuilder(Postgres(url).ToNpgsql().ConnectionString);

            Assert.Equal((user, password, database), (npgsql.Username, npgsql.Password, npgsql.Database));
        });

    private static PostgresUrl Postgres(string url) => Assert.IsType<PostgresUrl>(DatabaseUrl.Parse(url).Value);
}
