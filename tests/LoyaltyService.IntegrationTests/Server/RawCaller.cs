using System.Net;
using System.Net.Sockets;
using System.Text;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>A caller that writes raw bytes at chosen times.</summary>
internal sealed class RawCaller : IDisposable
{
    private readonly TcpClient connection;

    private RawCaller(IPAddress from) => connection = new TcpClient(new IPEndPoint(from, 0));

    /// <param name="from">The local address to call from; null for the default.</param>
    public static async Task<RawCaller> ConnectAsync(LoyaltyApp app, string from = "127.0.0.1")
    {
        var caller = new RawCaller(IPAddress.Parse(from));
        await caller.connection.ConnectAsync(IPAddress.Loopback, app.Address.Port, TestContext.Current.CancellationToken);
        return caller;
    }

    public static string Post(string rest) => "POST /loyalty/identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + rest;

    public async Task SendAsync(string text) =>
        await connection.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text), TestContext.Current.CancellationToken);

    /// <summary>Waits for "100 Continue". The server then reads the body.</summary>
    public async Task IsToGoOnAsync()
    {
        const string GoOn = "HTTP/1.1 100 Continue\r\n\r\n";
        var answer = new byte[GoOn.Length];
        await connection.GetStream().ReadExactlyAsync(answer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(GoOn, Encoding.ASCII.GetString(answer));
    }

    /// <summary>Reads the answer until the server closes the connection. Returns the bytes before a reset.</summary>
    public async Task<string> ReadToEndAsync(TimeSpan within)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(within);
        var (text, buffer) = (new StringBuilder(), new byte[16 * 1024]);
        try
        {
            while (await connection.GetStream().ReadAsync(buffer, patience.Token) is > 0 and var count)
                text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        catch (IOException)
        {
            // Reset: return the bytes before it.
        }

        return text.ToString();
    }

    /// <summary>Whether the server closed the connection, without reading its earlier data.</summary>
    public bool IsCut() => connection.Client.Poll(0, SelectMode.SelectError);

    public void Dispose() => connection.Dispose();
}
