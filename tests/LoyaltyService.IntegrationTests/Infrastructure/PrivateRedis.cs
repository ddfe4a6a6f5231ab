using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A Redis of the test's own, which it may kill, freeze and empty, on one port.</summary>
/// <param name="certificates">For a server that speaks TLS and nothing else.</param>
internal sealed class PrivateRedis(TestCertificates? certificates = null) : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("redis-test-");
    private readonly int port = FreePort.Find();
    private Process? server;

    public string Url => $"{(certificates is null ? "redis" : "rediss")}://127.0.0.1:{port}";

    public async Task StartAsync()
    {
        server = Process.Start(new ProcessStartInfo(
            "redis-server",
            [.. Listen(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.FullName, "--enable-debug-command", "local"])
        { RedirectStandardOutput = true })!;
        server.BeginOutputReadLine();
        await Eventually.BecomesTrueAsync(AnswersAsync, "Redis answers");
    }

    public async Task KillAsync()
    {
        server!.Kill();
        await server.WaitForExitAsync();
    }

    /// <summary>SIGSTOP: connections stay open, and nothing answers.</summary>
    public void Freeze() => server!.Send(Signal.Stop);

    public void Thaw() => server!.Send(Signal.Continue);

    public Task FlushAsync() => AskAsync(static redis => redis.GetServers()[0].FlushAllDatabasesAsync());

    /// <summary>Answers nobody for <paramref name="pause"/>, then all who wait.</summary>
    public Task PauseAsync(TimeSpan pause) => AskAsync(redis => redis.GetDatabase().ExecuteAsync("DEBUG", "SLEEP", pause.TotalSeconds.ToString(CultureInfo.InvariantCulture)));

    /// <summary>How many keys were asked for and found since the server started.</summary>
    public async Task<long> HitsAsync()
    {
        var hits = 0L;
        await AskAsync(async redis => hits = (await redis.GetServers()[0].InfoAsync("stats"))
            .SelectMany(static section => section).Where(static line => line.Key == "keyspace_hits").Sum(static line => long.Parse(line.Value, CultureInfo.InvariantCulture)));
        return hits;
    }

    public async ValueTask DisposeAsync()
    {
        if (server is { HasExited: false })
            await KillAsync();
        server?.Dispose();
        folder.Delete(recursive: true);
    }

    private string[] Listen()
    {
        if (certificates is null)
            return ["--port", $"{port}"];
        var (file, key) = certificates.Issue("redis");
        return ["--port", "0", "--tls-port", $"{port}", "--tls-cert-file", file, "--tls-key-file", key, "--tls-ca-cert-file", certificates.AuthorityPath, "--tls-auth-clients", "no"];
    }

    private async Task AskAsync(Func<ConnectionMultiplexer, Task> ask, bool isListening = true)
    {
        var options = ConfigurationOptions.Parse($"127.0.0.1:{port},allowAdmin=true,ssl={certificates is not null}");
        // Who asks before the server listens asks again soon. Later a busy machine may take its time for a connection.
        if (!isListening)
            (options.ConnectTimeout, options.ConnectRetry) = (500, 1);
        if (certificates is not null)
            options.TrustIssuer(certificates.AuthorityPath);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(options);
        await ask(redis);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await AskAsync(static redis => redis.GetDatabase().PingAsync(), isListening: false);
            return true;
        }
        catch (RedisException)
        {
            return false;
        }
    }
}
