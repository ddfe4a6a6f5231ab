using System.Diagnostics;

namespace LoyaltyService.Tests.Simulator;

/// <summary>A simulator in a process of its own, which can be killed without warning.</summary>
internal sealed class KillableSimulator : IAsyncDisposable
{
    private readonly Process _process;

    private KillableSimulator(Process process, SimulatorHost calls)
    {
        _process = process;
        Calls = calls;
    }

    public SimulatorHost Calls { get; }

    public static async Task<KillableSimulator> StartAsync(string ledgerPath)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };

        foreach (var argument in new[] { typeof(PdiSimulator.Program).Assembly.Location, "--port", "0", "--ledger", ledgerPath })
            start.ArgumentList.Add(argument);

        var process = Process.Start(start)!;

        // The one line it prints, once it listens, ends with its address.
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        return new KillableSimulator(process, await SimulatorHost.ConnectAsync(new Uri(line!.Split(' ')[^1])));
    }

    /// <summary>SIGKILL: nothing is flushed, nothing is closed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        // A test that failed before its kill must not leave the process behind.
        _process.Kill();
        await Calls.DisposeAsync();
        _process.Dispose();
    }
}
