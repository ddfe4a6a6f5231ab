using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>What one process can be told by another.</summary>
internal enum Signal
{
    Interrupt = 2,
    Quit = 3,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

internal static class Signals
{
    public static void Send(this Process process, Signal signal) => Send(process.Id, signal);

    public static void Send(int process, Signal signal)
    {
        if (Kill(process, (int)signal) != 0)
            throw new InvalidOperationException($"{signal} could not be sent to {process}.");
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
}
