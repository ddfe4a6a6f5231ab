using System.Diagnostics;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A PostgreSQL of the test's own, which it may crash and start again: on one port, and durable as in production.</summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("postgres-test-");
    private readonly int port = FreePort.Find();
    private readonly List<int> frozen = [];
    private string[] encryption = [];
    private Process postmaster = null!;

    private PrivatePostgres() => Database = TestDatabase.At($"postgresql://loyalty@127.0.0.1:{port}/postgres");

    public TestDatabase Database { get; }

    private string Home => Path.Combine(folder.FullName, "postgres");

    public int Port => port;

    /// <param name="certificate">PEM files of a certificate and its key, for a server that speaks TLS to those who ask for it.</param>
    public static async Task<PrivatePostgres> StartNewAsync((string Certificate, string Key)? certificate = null)
    {
        var server = new PrivatePostgres();
        Directory.CreateDirectory(server.Home);
        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chmod", "711", server.folder.FullName);
            await RunAsync("chown", "postgres", server.Home);
        }

        // --no-sync: an empty cluster need not be on the disk. What the server itself commits is.
        using var initialize = StartAsPostgres("initdb", "-D", server.Home + "/data", "-U", "loyalty", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync");
        await initialize.WaitForExitAsync();
        Assert.Equal(0, initialize.ExitCode);
        if (certificate is { } files)
            await server.EncryptAsync(files);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts the server and waits until it takes connections.</summary>
    public async Task StartAsync()
    {
        postmaster = StartAsPostgres("postgres", ["-D", Home + "/data", "-p", $"{port}", "-k", Home, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on", .. encryption]);
        await Eventually.BecomesTrueAsync(TakesConnectionsAsync, "PostgreSQL takes connections");
    }

    /// <summary>As <c>pg_ctl stop -m immediate</c>: every connection breaks off, nothing is written, the next start is a crash recovery.</summary>
    public Task StopAtOnceAsync() => StopAsync(Signal.Quit);

    /// <summary>As <c>pg_ctl stop -m fast</c>: what runs is rolled back, and everything is written.</summary>
    public Task StopFastAsync() => StopAsync(Signal.Interrupt);

    /// <summary>Kills one of the service's server processes; PostgreSQL then ends all the others too, and recovers.</summary>
    public async Task KillBackendAsync()
    {
        await using var connection = await Database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand("select min(pid) from pg_stat_activity where application_name = 'loyalty-service'", connection);
        Signals.Send((int)(await command.ExecuteScalarAsync())!, Signal.Kill);
    }

    /// <summary>As on a disk that does not answer: connections stay open, new ones too, and nobody says a word.</summary>
    public async Task FreezeAsync()
    {
        await using var connection = await Database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand("select array_agg(pid) from pg_stat_activity where application_name = 'loyalty-service'", connection);
        frozen.Add(postmaster.Id);
        frozen.AddRange((int[])(await command.ExecuteScalarAsync())!);
        foreach (var process in frozen)
            Signals.Send(process, Signal.Stop);
    }

    public void Thaw()
    {
        foreach (var process in frozen)
            Signals.Send(process, Signal.Continue);
        frozen.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        Thaw();
        if (!postmaster.HasExited)
            await StopAtOnceAsync();
        postmaster.Dispose();
        folder.Delete(recursive: true);
    }

    // The server reads a key that is its own, and that nobody else may read.
    private async Task EncryptAsync((string Certificate, string Key) files)
    {
        var (certificate, key) = (Home + "/server.crt", Home + "/server.key");
        File.Copy(files.Certificate, certificate);
        File.Copy(files.Key, key);
        await RunAsync("chmod", "600", key);
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", "postgres", certificate, key);
        encryption = ["-c", "ssl=on", "-c", "ssl_cert_file=" + certificate, "-c", "ssl_key_file=" + key];
    }

    private async Task StopAsync(Signal signal)
    {
        postmaster.Send(signal);
        await postmaster.WaitForExitAsync();
    }

    private async Task<bool> TakesConnectionsAsync()
    {
        try
        {
            await using var connection = await Database.OpenPostgresAsync();
            return true;
        }
        catch (NpgsqlException notYet)
        {
            return postmaster.HasExited ? throw new InvalidOperationException("PostgreSQL has ended.", notYet) : false;
        }
    }

    // PostgreSQL refuses to run as root.
    private static Process StartAsPostgres(string program, params string[] arguments) => Environment.IsPrivilegedProcess
        ? Start("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", PathOf(program), .. arguments])
        : Start(PathOf(program), arguments);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private static Process Start(string program, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        // Read at once: a full pipe would stop the process.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    // Debian keeps the server's programs off the PATH, a folder a version.
    private static string PathOf(string program) =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
            .OrderByDescending(version => int.TryParse(Path.GetFileName(version), out var number) ? number : 0)
            .Select(version => Path.Combine(version, "bin", program))
            .FirstOrDefault(File.Exists) ?? program;
}
