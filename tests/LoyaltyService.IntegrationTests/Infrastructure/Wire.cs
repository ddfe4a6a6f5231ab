using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The wire to a real server, for a test to cut, to block and to mend.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Socket, byte> sockets = new();
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Uri server;
    private readonly Task accepting;
    private volatile bool isCut;
    private volatile bool isBlocked;

    /// <param name="url">The server's own address, such as <c>postgresql://user@127.0.0.1:5432/name</c>.</param>
    public Wire(string url)
    {
        server = new Uri(url);
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>The server's address by way of this wire.</summary>
    public string Url => new UriBuilder(server) { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port }.Uri.AbsoluteUri.TrimEnd('/');

    /// <summary>Every connection breaks, and every new one is closed at once.</summary>
    public void Cut()
    {
        isCut = true;
        foreach (var socket in sockets.Keys)
            socket.Dispose();
    }

    /// <summary>Connections stay, and nothing comes through.</summary>
    public void Block() => isBlocked = true;

    public void Mend()
    {
        // What was held back is lost, and with it the connections.
        Cut();
        isBlocked = false;
        isCut = false;
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        listener.Dispose();
        await accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ForwardAsync(await listener.AcceptSocketAsync());
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using var upstream = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            sockets[client] = sockets[upstream] = 0;
            try
            {
                if (isCut)
                    return;
                await upstream.ConnectAsync(server.Host, server.Port);
                await Task.WhenAny(CopyAsync(client, upstream), CopyAsync(upstream, client));
            }
            catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
            {
                // Cut.
            }

            sockets.TryRemove(client, out _);
            sockets.TryRemove(upstream, out _);
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is var length and > 0)
            {
                if (!isBlocked)
                    await to.SendAsync(buffer.AsMemory(0, length));
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            // Cut, or either side has hung up.
        }
    }
}
