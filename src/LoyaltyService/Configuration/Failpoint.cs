using System.Diagnostics;

namespace LoyaltyService.Configuration;

/// <summary>
/// A place where a test can make the process die, hang or throw, to see what survives. Armed by the variable FAILPOINT, as
/// <c>name=kill</c>, <c>name=hang</c> or <c>name=throw</c>; the calls exist only where FAILPOINTS is defined, which is the build
/// configuration Test. A published service has none.
/// </summary>
internal static class Failpoint
{
#if FAILPOINTS
    private static readonly string? Armed = Environment.GetEnvironmentVariable("FAILPOINT");
#endif

    [Conditional("FAILPOINTS")]
    public static void Hit(string name)
    {
#if FAILPOINTS
        if (Armed is null || !Armed.StartsWith(name + "=", StringComparison.Ordinal))
            return;

        switch (Armed[(name.Length + 1)..])
        {
            case "kill":
                // SIGKILL: no finally, no flush, no goodbye to anybody.
                Process.GetCurrentProcess().Kill();
                Thread.CurrentThread.Join();
                break;
            case "hang":
                Thread.CurrentThread.Join();
                break;
            default:
                throw new InvalidOperationException($"Failpoint {name}.");
        }
#endif
    }
}
