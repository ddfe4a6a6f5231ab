using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using LoyaltyService.Storage;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A real haproxy with the repository's configuration, before three replicas.</summary>
internal sealed class LoadBalancer : IAsyncDisposable
{
    private readonly Process process;
    private readonly DirectoryInfo folder;

    private LoadBalancer(Process process, DirectoryInfo folder, Uri address)
    {
        this.process = process;
        this.folder = folder;
        Address = address;
    }

    public Uri Address { get; }

    private string Socket => Path.Combine(folder.FullName, "haproxy.sock");

    /// <param name="replicas">The ports of the replicas, in the order of the configuration's servers.</param>
    /// <param name="checks">How often haproxy looks, in place of the configuration's 10 s and 1 s; null leaves them.</param>
    public static async Task<LoadBalancer> StartAsync(IReadOnlyList<int> replicas, (string Usual, string Fast)? checks)
    {
        var folder = Directory.CreateTempSubdirectory("haproxy-test-");
        var configuration = Repository.ReadAllText("deploy/haproxy/haproxy.cfg");
        Assert.Contains(" inter 10s fastinter 1s ", configuration, StringComparison.Ordinal);
        if (checks is var (usual, fast))
            configuration = configuration.Replace(" inter 10s fastinter 1s ", $" inter {usual} fastinter {fast} ", StringComparison.Ordinal);
        var files = new[] { Path.Combine(folder.FullName, "haproxy.cfg"), Path.Combine(folder.FullName, "socket.cfg") };
        await File.WriteAllTextAsync(files[0], configuration);
        // So that the test can ask what haproxy thinks of the replicas.
        await File.WriteAllTextAsync(files[1], $"global\n  stats socket {folder.FullName}/haproxy.sock\n");

        var address = $"127.0.0.1:{FreePort.Find()}";
        var start = new ProcessStartInfo("haproxy", ["-db", "-f", files[0], "-f", files[1]]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["BIND"] = address;
        for (var number = 0; number < replicas.Count; number++)
            start.Environment[$"REPLICA_{number + 1}"] = $"127.0.0.1:{replicas[number]}";
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var balancer = new LoadBalancer(process, folder, new Uri("http://" + address));
        await Eventually.BecomesTrueAsync(
            () => process.HasExited ? throw new InvalidOperationException($"haproxy ended with {process.ExitCode}.") : Task.FromResult(File.Exists(balancer.Socket)), "haproxy listens");
        return balancer;
    }

    /// <summary>Waits until haproxy sends requests to every replica.</summary>
    public Task AllAreUpAsync() => Eventually.GetAsync(
        LookAsync, static servers => servers.Count == 3 && servers.All(server => server.Status == "UP"), "every replica is up", TimeSpan.FromSeconds(60));

    /// <summary>What haproxy knows of each replica: its status, how many requests it was sent, and how many it has not answered yet.</summary>
    public async Task<IReadOnlyList<(string Status, long Requests, long Open)>> LookAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket));
        await socket.SendAsync(Encoding.ASCII.GetBytes("show stat\n"));
        using var reader = new StreamReader(new NetworkStream(socket));
        var lines = (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(',')).ToList();
        var (status, requests, open) = (Array.IndexOf(lines[0], "status"), Array.IndexOf(lines[0], "stot"), Array.IndexOf(lines[0], "scur"));
        return [.. lines.Where(line => line[1].StartsWith("replica", StringComparison.Ordinal)).Select(line => (line[status], long.Parse(line[requests]), long.Parse(line[open])))];
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        folder.Delete(recursive: true);
    }
}
