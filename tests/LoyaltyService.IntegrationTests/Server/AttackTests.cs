using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>
/// Sends thousands of malformed requests as raw bytes. None may cause a server error. One that does is added to attacks.txt, one per
/// line as a JSON string whose characters are the bytes, and every later run sends it again.
/// </summary>
public sealed class AttackTests
{
    private const int Requests = 5_000;
    private const int Attackers = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);
    private const string CorpusPath = "tests/LoyaltyService.IntegrationTests/Server/attacks.txt";

    private static readonly string[] Keys = ["till", "operator", "both"];

    [Fact(Timeout = 180_000)]
    public async Task Five_thousand_bad_requests_cause_no_server_error_and_no_damage()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres, new()
        {
            ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till")},operator:ops:{KeyHash.Of("operator")},both:loyalty+ops:{KeyHash.Of("both")}",
        });
        var seed = Random.Shared.Next();
        var attacks = new Attacks(new Random(seed), Keys, [.. app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()]);
        var known = File.ReadAllLines(Repository.PathOf(CorpusPath)).Select(line => Encoding.Latin1.GetBytes(JsonSerializer.Deserialize<string>(line)!)).ToList();
        var queue = new ConcurrentQueue<byte[]>([.. known, .. Enumerable.Range(0, Requests).Select(_ => attacks.Next())]);
        var statuses = new ConcurrentDictionary<string, int>();
        var broken = new ConcurrentQueue<string>();

        await Task.WhenAll(Enumerable.Range(0, Attackers).Select(async _ =>
        {
            while (queue.TryDequeue(out var request))
            {
                var answer = await SendAsync(app, request);
                statuses.AddOrUpdate(answer.Split(' ') is [_, var status, ..] ? status : "closed", 1, static (_, count) => count + 1);
                if (answer.StartsWith("HTTP/1.1 5", StringComparison.Ordinal))
                    broken.Enqueue(Line(request));
            }
        }));

        TestContext.Current.TestOutputHelper!.WriteLine($"Seed {seed}: {string.Join(", ", statuses.OrderBy(status => status.Key).Select(status => $"{status.Key}: {status.Value}"))}");
        await File.AppendAllLinesAsync(Repository.PathOf(CorpusPath), broken.Except(known.Select(Line)), TestContext.Current.CancellationToken);
        Assert.Empty(broken);
        // Attacks without answers, or with only one kind of answer, would prove little.
        Assert.InRange(statuses.GetValueOrDefault("closed"), 0, Requests / 4);
        Assert.All(["400", "401", "403", "404", "405", "413", "415"], status => Assert.True(statuses.GetValueOrDefault(status) > 0, status));
        var scrape = await Scrape.ReadAsync(app);
        Assert.Equal(0, scrape["""loyalty_errors_total{code="internal_error"}"""]);
        Assert.Equal((0, 0), (scrape["""loyalty_errors_total{code="overloaded"}"""], scrape["""loyalty_errors_total{code="database_unavailable"}"""]));
        Assert.Equal(200, (await app.GetAsync("/health/ready")).Status);
    }

    /// <returns>The first line of the answer, or an empty string.</returns>
    private static async Task<string> SendAsync(LoyaltyApp app, byte[] request)
    {
        using var connection = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await connection.ConnectAsync(IPAddress.Loopback, app.Address.Port, TestContext.Current.CancellationToken);
        try
        {
            await connection.SendAsync(request, TestContext.Current.CancellationToken);
            var answer = ReadLineAsync(connection);
            try
            {
                return await answer.WaitAsync(Patience, TimeProvider.System);
            }
            catch (TimeoutException)
            {
                // Closes the sending side, for a server that waits for more.
                connection.Shutdown(SocketShutdown.Send);
                return await answer;
            }
        }
        catch (SocketException)
        {
            // Refused and closed before the end.
            return "";
        }
    }

    private static async Task<string> ReadLineAsync(Socket connection)
    {
        var buffer = new byte[1024];
        var length = 0;
        while (length < buffer.Length && !buffer.AsSpan(0, length).Contains((byte)'\n')
            && await connection.ReceiveAsync(buffer.AsMemory(length), TestContext.Current.CancellationToken) is > 0 and var read)
            length += read;
        return Encoding.Latin1.GetString(buffer, 0, length).Split('\r')[0];
    }

    private static string Line(byte[] request) => JsonSerializer.Serialize(Encoding.Latin1.GetString(request));
}
