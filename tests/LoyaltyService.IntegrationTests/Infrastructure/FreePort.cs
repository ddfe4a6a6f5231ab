using System.Net;
using System.Net.Sockets;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A port on which nobody listens just now, for a server that is told its port.</summary>
internal static class FreePort
{
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
