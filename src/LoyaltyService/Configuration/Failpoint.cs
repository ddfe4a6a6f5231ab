using System.Diagnostics;

namespace LoyaltyService.Configuration;

/// <summary>
/// Lets a test kill, hang or throw at a named place in the code. The variable FAILPOINT arms it, as <c>name=kill</c>, <c>name=hang</c> or
/// <c>name=throw</c>. The calls exist only in the build configuration Test, which defines FAILPOINTS; a published service has none.
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
                // SIGKILL: no finally blocks, no flush.
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
