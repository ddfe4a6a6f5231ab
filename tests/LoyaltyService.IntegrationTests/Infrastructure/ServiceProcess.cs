using System.Collections.Concurrent;
using System.Diagnostics;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A program of this repository as a process of its own, so that a test can kill it.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly HttpClient Probe = new() { Timeout = TimeSpan.FromSeconds(2) };

    private readonly Process process;
    private readonly ConcurrentQueue<string> log;

    private ServiceProcess(Process process, Uri address, ConcurrentQueue<string> log)
    {
        this.process = process;
        this.log = log;
        Address = address;
    }

    public Uri Address { get; }

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    public int Id => process.Id;

    /// <summary>What it has written so far, on both of its outputs.</summary>
    public IReadOnlyCollection<string> Log => log;

    /// <summary>What it has had of the processors so far.</summary>
    public TimeSpan ProcessorTime => process.TotalProcessorTime;

    /// <summary>Starts the service and waits until it answers.</summary>
    public static async Task<ServiceProcess> StartServiceAsync(TestDatabase database, Uri pdi, Dictionary<string, string?>? variables = null, bool mayDie = false)
    {
        var service = LaunchService(database, pdi, variables);
        await service.AnswersAsync("/health", mayDie);
        return service;
    }

    /// <summary>Starts the service and does not wait for it.</summary>
    public static ServiceProcess LaunchService(TestDatabase database, Uri pdi, Dictionary<string, string?>? variables = null)
    {
        var port = FreePort.Find();
        return Launch(PathOf("LoyaltyService"), [], ServiceEnvironment.Of(database, pdi, port, variables), port);
    }

    /// <summary>Starts another build of the service, and waits until it answers.</summary>
    public static async Task<ServiceProcess> StartBuildAsync(string program, TestDatabase database, Uri pdi, Dictionary<string, string?> variables)
    {
        var port = FreePort.Find();
        var service = Launch(program, [], ServiceEnvironment.Of(database, pdi, port, variables), port);
        await service.AnswersAsync("/health");
        return service;
    }

    /// <summary>Starts the image as a container would be, and waits until it answers at <paramref name="probe"/>.</summary>
    public static async Task<ServiceProcess> StartImageAsync(
        Image image, TestDatabase database, Uri pdi, Dictionary<string, string?>? variables = null, int? atPort = null, string probe = "/health/ready")
    {
        var port = atPort ?? FreePort.Find();
        var service = Launch(image.Start("ENTRYPOINT", ServiceEnvironment.Of(database, pdi, port, variables)), port);
        await service.AnswersAsync(probe);
        return service;
    }

    /// <summary>Runs a command of the service to its end.</summary>
    public static Task<Ran> RunAsync(TestDatabase database, params string[] words) => Ran.ToItsEndAsync(
        "dotnet", [PathOf("LoyaltyService"), .. words], ServiceEnvironment.Of(database, new Uri("http://127.0.0.1:9"), port: 0, differing: null));

    /// <summary>Starts the simulator's image as a container would be, and waits until it answers.</summary>
    public static async Task<ServiceProcess> StartSimulatorImageAsync(Image image)
    {
        var port = FreePort.Find();
        var simulator = Launch(image.Start("ENTRYPOINT", new Dictionary<string, string?>(), "--port", port.ToString()), port);
        await simulator.AnswersAsync("/_simulator/faults");
        return simulator;
    }

    public static async Task<ServiceProcess> StartSimulatorAsync(string ledger)
    {
        var port = FreePort.Find();
        var simulator = Launch(PathOf("PdiSimulator"), ["--port", port.ToString(), "--ledger", ledger], [], port);
        await simulator.AnswersAsync("/_simulator/faults");
        return simulator;
    }

    /// <summary>kill -9: no shutdown, no flush.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGSTOP: the process stands still with everything that it holds.</summary>
    public void Freeze() => process.Send(Signal.Stop);

    /// <summary>SIGCONT: it goes on as if nothing had been.</summary>
    public void Thaw() => process.Send(Signal.Continue);

    /// <summary>SIGTERM: the process is asked to end, and brings to an end what it has begun.</summary>
    public void Terminate() => process.Send(Signal.Terminate);

    /// <summary>Waits for a line of the log that contains <paramref name="text"/>.</summary>
    public Task LogsAsync(string text) => Eventually.BecomesTrueAsync(
        () => Task.FromResult(log.Any(line => line.Contains(text, StringComparison.Ordinal))), $"the log says: {text}");

    public Task WaitForExitAsync() => process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await KillAsync();
        process.Dispose();
    }

    private static ServiceProcess Launch(string program, string[] arguments, Dictionary<string, string?> environment, int port)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(program);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Launch(start, port);
    }

    private static ServiceProcess Launch(ProcessStartInfo start, int port)
    {
        var process = Process.Start(start)!;
        // Read at once: a full pipe would stop the process.
        var log = new ConcurrentQueue<string>();
        process.OutputDataReceived += Keep;
        process.BeginOutputReadLine();
        if (start.RedirectStandardError)
        {
            process.ErrorDataReceived += Keep;
            process.BeginErrorReadLine();
        }

        return new ServiceProcess(process, new Uri($"http://127.0.0.1:{port}"), log);

        void Keep(object sender, DataReceivedEventArgs line)
        {
            var text = line.Data ?? "";
            log.Enqueue(text);
            RunLog.Add(text);
        }
    }

    private Task AnswersAsync(string probe, bool mayDie = false) => Eventually.BecomesTrueAsync(
        async () => process.HasExited
            ? mayDie ? true : throw new InvalidOperationException($"The process ended with {process.ExitCode}: {string.Join('\n', log)}")
            : await AnswersAsync(new Uri(Address, probe)),
        $"{Address} answers", TimeSpan.FromSeconds(120));

    private static async Task<bool> AnswersAsync(Uri address)
    {
        try
        {
            using var response = await Probe.GetAsync(address);
            return response.IsSuccessStatusCode;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    // artifacts/bin/<this project>/<configuration>/ beside artifacts/bin/<program>/<configuration>/
    private static string PathOf(string program)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(here.Parent!.Parent!.FullName, program, here.Name, program + ".dll");
    }
}
