using System.Net;
using System.Net.Sockets;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// Stands between the service and PostgreSQL. Armed, it lets a statement through, waits until the server has done it, commit included,
/// and cuts the connection instead of passing the answer on.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    // The last messages of what the client sends and of what the server answers, in the extended query protocol. A statement that is only
    // prepared is not executed.
    private static readonly byte[] ExecuteAndSync = [(byte)'E', 0, 0, 0, 9, 0, 0, 0, 0, 0, (byte)'S', 0, 0, 0, 4];
    private static readonly byte[] ReadyForQuery = [(byte)'Z', 0, 0, 0, 5, (byte)'I'];

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly IPEndPoint server;
    private readonly Task accepting;
    private int statementsUntilCut;

    public CuttingProxy(string host, int port)
    {
        server = new IPEndPoint(host is "localhost" ? IPAddress.Loopback : IPAddress.Parse(host), port);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Whether the armed cut has happened.</summary>
    public bool HasCut { get; private set; }

    /// <summary>Cuts the answer to the statement of that number, counted from now; 1 is the next.</summary>
    public void CutStatement(int number)
    {
        HasCut = false;
        Volatile.Write(ref statementsUntilCut, number);
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Stop();
        await accepting;
        listener.Dispose();
        closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(closing.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var toServer = new TcpClient { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            await toServer.ConnectAsync(server, closing.Token);
            var cut = new StrongBox();
            await Task.WhenAny(
                ForwardAsync(client, toServer, sent => cut.Value = cut.Value || (sent.EndsWith(ExecuteAndSync) && Interlocked.Decrement(ref statementsUntilCut) == 0), static _ => true),
                ForwardAsync(toServer, client, static _ => { }, answer => !cut.Value || !IsLast(answer)));
        }
    }

    private bool IsLast(ReadOnlySpan<byte> answer)
    {
        HasCut |= answer.EndsWith(ReadyForQuery);
        return HasCut;
    }

    /// <summary>Copies until one end closes, or until <paramref name="goOn"/> says that what was read is not to be passed on.</summary>
    private async Task ForwardAsync(TcpClient from, TcpClient to, Look look, GoOn goOn)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, closing.Token) is > 0 and var count)
            {
                look(buffer.AsSpan(0, count));
                if (!goOn(buffer.AsSpan(0, count)))
                    return;
                await to.GetStream().WriteAsync(buffer.AsMemory(0, count), closing.Token);
            }
        }
        catch (Exception closed) when (closed is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // One end has gone; the other one goes with it.
        }
    }

    private delegate void Look(ReadOnlySpan<byte> bytes);

    private delegate bool GoOn(ReadOnlySpan<byte> bytes);

    private sealed class StrongBox
    {
        public volatile bool Value;
    }
}
