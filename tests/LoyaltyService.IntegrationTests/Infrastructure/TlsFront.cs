using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>Speaks TLS in front of a server that does not, as a load balancer would.</summary>
internal sealed class TlsFront : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> connections = [];
    private readonly X509Certificate2 certificate;
    private readonly Uri server;
    private readonly Task accepting;

    public TlsFront(Uri server, (string Certificate, string Key) files)
    {
        this.server = server;
        certificate = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Address => new($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/");

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        foreach (var connection in connections)
            connection.Dispose();
        await accepting;
        certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ForwardAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        var upstream = new TcpClient();
        connections.Add(client);
        connections.Add(upstream);
        try
        {
            await using var secured = new SslStream(client.GetStream());
            await secured.AuthenticateAsServerAsync(certificate);
            await upstream.ConnectAsync(server.Host, server.Port);
            var plain = upstream.GetStream();
            await Task.WhenAny(secured.CopyToAsync(plain), plain.CopyToAsync(secured));
        }
        catch (Exception broken) when (broken is AuthenticationException or IOException or SocketException or ObjectDisposedException)
        {
            // The caller does not trust this front, or either side has hung up.
        }
        finally
        {
            client.Dispose();
            upstream.Dispose();
        }
    }
}
