using System.Net;
using LoyaltyService.Security;
using Microsoft.AspNetCore.Http;

namespace LoyaltyService.Tests.Security;

/// <summary>Recognises callers on this machine. Neither the request's content nor its address suffices alone.</summary>
public sealed class LocalCallerTests
{
    [Theory]
    [InlineData("127.0.0.1", "localhost:3000", true)]
    [InlineData("127.8.9.10", "127.0.0.1:3000", true)]
    [InlineData("::1", "[::1]:3000", true)]
    [InlineData("::ffff:127.0.0.1", "localhost", true)]
    // Remote callers with a local Host header.
    [InlineData("192.0.2.1", "localhost:3000", false)]
    [InlineData("10.0.0.7", "127.0.0.1:3000", false)]
    [InlineData("2001:db8::1", "[::1]:3000", false)]
    [InlineData("::ffff:192.0.2.1", "localhost", false)]
    [InlineData(null, "localhost:3000", false)]
    [InlineData("127.0.0.1", "shop.example.com", false)]
    [InlineData("127.0.0.1", "localhost.example.com", false)]
    [InlineData("127.0.0.1", "", false)]
    public void Address_and_host_must_both_be_local(string? address, string host, bool isLocal) =>
        Assert.Equal(isLocal, LocalCaller.Is(Call(address, host)));

    [Theory]
    [InlineData("http://localhost:3000", true)]
    [InlineData("HTTP://LOCALHOST:3000", true)]
    [InlineData("https://localhost:3000", false)]
    [InlineData("http://localhost", false)]
    [InlineData("http://127.0.0.1:3000", false)]
    [InlineData("http://localhost:3000.example.com", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public void The_origin_must_be_this_service(string origin, bool isLocal)
    {
        var call = Call("127.0.0.1", "localhost:3000");
        call.Request.Headers.Origin = origin;

        Assert.Equal(isLocal, LocalCaller.Is(call));
    }

    [Theory]
    [InlineData("same-origin", true)]
    [InlineData("none", true)]
    [InlineData("same-site", false)]
    [InlineData("cross-site", false)]
    [InlineData("", false)]
    public void A_browser_call_must_come_from_the_same_origin(string site, bool isLocal)
    {
        var call = Call("127.0.0.1", "localhost:3000");
        call.Request.Headers["Sec-Fetch-Site"] = site;

        Assert.Equal(isLocal, LocalCaller.Is(call));
    }

    private static DefaultHttpContext Call(string? address, string host) => new()
    {
        Connection = { RemoteIpAddress = address is null ? null : IPAddress.Parse(address) },
        Request = { Scheme = "http", Host = new HostString(host) },
    };
}
