using System.Net;
using System.Net.Sockets;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// A port on which nobody listens, for a server that is told its port. Each is given once, and is none of those that the system gives to who
/// asks for any: a till that goes on asking a server that has died must not find the server of another test there.
/// </summary>
internal static class FreePort
{
    private const int First = 12_000;
    private const int Last = 32_000;

    private static int next = Random.Shared.Next(First, Last);

    public static int Find()
    {
        while (true)
        {
            var port = First + (Interlocked.Increment(ref next) % (Last - First));
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException inUse) when (inUse.SocketErrorCode is SocketError.AddressAlreadyInUse)
            {
                // The next one.
            }
        }
    }
}
