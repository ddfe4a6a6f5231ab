using System.Net;
using CsCheck;
using LoyaltyService.Configuration;
using StackExchange.Redis;

namespace LoyaltyService.Tests.Configuration;

public sealed class RedisUrlTests
{
    [Fact]
    public void A_full_URL_reaches_the_client()
    {
        var options = Server("rediss://loyalty:p%40ss%2F@cache.example.com:6380/3").ToConfigurationOptions();

        Assert.Equal(new DnsEndPoint("cache.example.com", 6380), Assert.Single(options.EndPoints));
        Assert.True(options.Ssl);
        Assert.Equal("cache.example.com", options.SslHost);
        Assert.Equal("loyalty", options.User);
        Assert.Equal("p@ss/", options.Password);
        Assert.Equal(3, options.DefaultDatabase);
    }

    [Fact]
    public void The_cache_never_delays_a_till_for_long()
    {
        var options = Server("redis://cache.example.com").ToConfigurationOptions();

        Assert.False(options.AbortOnConnectFail);
        Assert.Same(BacklogPolicy.FailFast, options.BacklogPolicy);
        Assert.Equal(1000, options.ConnectTimeout);
        Assert.Equal(250, options.AsyncTimeout);
        Assert.Equal(250, options.SyncTimeout);
        Assert.Equal(TimeSpan.FromMilliseconds(250), options.HeartbeatInterval);
        // Regardless of the number of attempts.
        Assert.True(options.ReconnectRetryPolicy.ShouldRetry(currentRetryCount: 10_000, timeElapsedMillisecondsSinceLastRetry: 1000));
    }

    [Theory]
    [InlineData("redis://cache.example.com", "cache.example.com", 6379, null, null, 0)]
    [InlineData("redis://cache.example.com/", "cache.example.com", 6379, null, null, 0)]
    [InlineData("REDIS://:secret@192.0.2.1:1/15", "192.0.2.1", 1, null, "secret", 15)]
    [InlineData("redis://:se:cr/et@[2001:db8::1]", "2001:db8::1", 6379, null, "se:cr/et", 0)]
    public void Omitted_parts_have_defaults(string url, string host, int port, string? user, string? password, int database) =>
        Assert.Equal(new RedisServerUrl(new HostPort(host, port), false, user, password, database), Server(url));

    [Fact]
    public void The_client_accepts_an_IPv6_address() =>
        Assert.Equal(
            new IPEndPoint(IPAddress.Parse("2001:db8::1"), 6379),
            Assert.Single(Server("redis://[2001:db8::1]").ToConfigurationOptions().EndPoints));

    [Theory]
    [InlineData("cache.example.com:6379", "redis://")]
    [InlineData("memory://", "memory:")]
    [InlineData("redis://", "name a host")]
    [InlineData("redis://secret@cache.example.com", ":password@")]
    [InlineData("redis://user:@cache.example.com", ":password@")]
    [InlineData("redis://:a@b@cache.example.com", "only one @")]
    [InlineData("redis://:%zz@cache.example.com", "hexadecimal")]
    [InlineData("redis://cache.example.com?db=1", "no parameters")]
    [InlineData("redis://cache.example.com/one", "number of a database")]
    [InlineData("redis://cache.example.com/-1", "number of a database")]
    [InlineData("redis://cache.example.com/99999999999", "number of a database")]
    [InlineData("redis://a.example.com,b.example.com", "letters, digits")]
    [InlineData("redis://%2Fvar%2Frun%2Fredis", "letters, digits")]
    [InlineData("redis://cache.example.com:x", "port from 1 to 65535")]
    public void An_error_states_the_mistake(string url, string expected) =>
        Assert.Contains(expected, Assert.Single(RedisUrl.Parse(url).Problems).Description);

    [Fact]
    public void Any_text_yields_a_usable_URL_or_one_error() => UrlText.Any.Sample(text =>
    {
        var parsed = RedisUrl.Parse(text);

        if (parsed.Value is RedisServerUrl server)
            Assert.Single(server.ToConfigurationOptions().EndPoints);
        else if (parsed.Value is null)
            Assert.Single(parsed.Problems);
    }, iter: 20_000);

    [Fact]
    public void Percent_encoded_credentials_survive() =>
        Gen.Select(UnicodeText.Any, UnicodeText.Any).Sample((user, password) =>
        {
            var options = Server($"redis://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@cache.example.com").ToConfigurationOptions();

            Assert.Equal((user, password), (options.User, options.Password));
        });

    private static RedisServerUrl Server(string url) => Assert.IsType<RedisServerUrl>(RedisUrl.Parse(url).Value);
}
