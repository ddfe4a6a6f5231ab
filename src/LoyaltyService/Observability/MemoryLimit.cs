using System.Globalization;

namespace LoyaltyService.Observability;

/// <summary>
/// How much memory the process may use before it is killed: the limit of its control group, not the runtime's own share of it, which
/// is three quarters.
/// </summary>
internal static class MemoryLimit
{
    // Version 2 and version 1 of Linux control groups, as a container sees its own.
    private static readonly string[] Files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

    public static long Read()
    {
        var machine = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        foreach (var file in Files)
        {
            // Without a limit version 2 says "max", and version 1 a number beyond any memory.
            if (File.Exists(file) && long.TryParse(File.ReadAllText(file), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var limit)
                && limit < long.MaxValue / 2)
                return limit;
        }

        return machine;
    }
}
