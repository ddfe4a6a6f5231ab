using System.Diagnostics;

namespace LoyaltyService.Tests.Simulator;

/// <summary>A simulator in a separate process, so that a test can kill it.</summary>
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

        // When ready, the simulator prints one line, which ends with its address.
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        return new KillableSimulator(process, await SimulatorHost.ConnectAsync(new Uri(line!.Split(' ')[^1])));
    }

    /// <summary>Sends SIGKILL: nothing is flushed or closed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        // A test that fails before the kill must not leave the process behind.
        _process.Kill();
        await Calls.DisposeAsync();
        _process.Dispose();
    }
}
