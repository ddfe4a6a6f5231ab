using System.Globalization;

namespace LoyaltyService.Observability;

/// <summary>
/// The memory limit at which the process is killed: that of its control group, not the runtime's own, which is three quarters of it.
/// </summary>
internal static class MemoryLimit
{
    // Linux control groups version 2 and version 1, as seen inside a container.
    private static readonly string[] Files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

    public static long Read()
    {
        var machine = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        foreach (var file in Files)
        {
            // Without a limit, version 2 says "max", and version 1 a number beyond any memory.
            if (File.Exists(file) && long.TryParse(File.ReadAllText(file), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var limit)
                && limit < long.MaxValue / 2)
                return limit;
        }

        return machine;
    }
}
