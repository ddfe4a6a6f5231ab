using System.IO.Pipelines;
using System.Net;
using LoyaltyService.Server;
using LoyaltyService.Tests.Configuration;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoyaltyService.Tests.Server;

/// <summary>Which connections share a limit.</summary>
public sealed class ConnectionsOfAddressesTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", false)]
    [InlineData("192.0.2.1", "192.0.2.2", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", true)]
    [InlineData("10.1.2.3", "::ffff:10.1.2.3", true)]
    [InlineData("fd00::1", "fd00::1", true)]
    public async Task A_second_connection_needs_another_address_or_a_trusted_proxy(string first, string second, bool getsIn)
    {
        var settings = Given.Read(Given.Development(("TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8")));
        var connections = new ConnectionsOfAddresses(
            new ServerLimits { MaxConnectionsOfAddress = 1 }, settings, TimeProvider.System, NullLogger<ConnectionsOfAddresses>.Instance);
        var (entered, end) = (0, new TaskCompletionSource());
        var server = connections.Bound(_ =>
        {
            entered++;
            return end.Task;
        });

        var open = new[] { server(From(first)), server(From(second)) };
        Assert.Equal(getsIn ? 2 : 1, entered);

        // A closed connection frees its slot.
        end.SetResult();
        await Task.WhenAll(open);
        await server(From(first));
        Assert.Equal(getsIn ? 3 : 2, entered);
    }

    private static DefaultConnectionContext From(string address) =>
        new() { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 40_000), Transport = new Pipes() };

    private sealed class Pipes : IDuplexPipe
    {
        private readonly Pipe pipe = new();

        public PipeReader Input => pipe.Reader;

        public PipeWriter Output => pipe.Writer;
    }
}
