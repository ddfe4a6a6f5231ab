using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// A till that does not give up: it sends the same request again, to any replica, until it gets a final answer. That is all it knows
/// of failures.
/// </summary>
internal sealed class Till(Func<Uri> replica, TimeSpan patience)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromSeconds(5) }) { Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>A till that asks one replica, as long as it lives.</summary>
    public static Till UntilItDies(ServiceProcess replica) =>
        new(() => replica.HasExited ? throw new InvalidOperationException("The replica has died.") : replica.Address, TimeSpan.FromSeconds(60));

    /// <summary>The answers that were not final, by status; 0 for a connection that broke.</summary>
    public Dictionary<int, int> Retried { get; } = [];

    /// <summary>For a service that does not take it for a caller on its own machine, as behind a load balancer.</summary>
    public string? ApiKey { get; init; }

    /// <summary>How many bytes of white space follow the body of each of its requests: as long as one with that many more items.</summary>
    public int Padding { get; init; }

    /// <summary>Is shown every answer, and how long it took; status 0 is a connection that broke, or no answer for 20 s.</summary>
    public Action<Answer, TimeSpan> Seen { get; init; } = static (_, _) => { };

    public async Task<JsonElement> SellAsync(string customerId, string transactionId, decimal amount = 150.00m)
    {
        var session = (await SendAsync("/loyalty/identify", new { customerId, channelId = "POS-001", transactionId }))
            .GetProperty("sessionId").GetString();
        await SendAsync("/loyalty/calculate-rewards", new { sessionId = session, transactionAmount = amount, items = Array.Empty<object>() });
        return await SendAsync("/loyalty/finalize", new { sessionId = session, transactionId, finalAmount = amount, applyRewards = true });
    }

    /// <summary>Sends until the answer is 200.</summary>
    public Task<JsonElement> SendAsync(string path, object body) => Eventually.GetAsync(
        () => TryAsync(path, body), answer => answer.ValueKind is JsonValueKind.Object, $"a final answer to {path}", patience);

    /// <summary>Asks until the answer is 200.</summary>
    public Task<JsonElement> ReadAsync(string path) => Eventually.GetAsync(
        () => TryAsync(path, null), answer => answer.ValueKind is JsonValueKind.Object, $"an answer to {path}", patience);

    private StringContent Json(object body) => new(JsonSerializer.Serialize(body, JsonSerializerOptions.Web) + new string(' ', Padding), Encoding.UTF8, "application/json");

    private async Task<JsonElement> TryAsync(string path, object? body)
    {
        var started = Stopwatch.GetTimestamp();
        Answer answer;
        try
        {
            using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(replica(), path)) { Content = body is null ? null : Json(body) };
            if (ApiKey is not null)
                request.Headers.Add("X-Api-Key", ApiKey);
            using var response = await Http.SendAsync(request);
            answer = await Answer.ReadAsync(response);
        }
        catch (Exception broken) when (broken is HttpRequestException or TaskCanceledException or SocketException)
        {
            // The replica died under the request, or before the client had looked at its new connection.
            answer = new Answer(0, broken.Message, new Dictionary<string, string>());
        }

        Seen(answer, Stopwatch.GetElapsedTime(started));
        if (answer.Status == 200)
            return answer.Json;
        Assert.True(answer.Status is 0 or 202 or 409 or 503, $"{path}: {answer}");
        Retried[answer.Status] = Retried.GetValueOrDefault(answer.Status) + 1;
        return default;
    }
}
