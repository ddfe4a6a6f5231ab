using System.Globalization;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A process whose wall clock is wrong by a fixed time: the variables that load libfaketime into it.</summary>
internal static class ShiftedClock
{
    public static Dictionary<string, string?> By(TimeSpan offset) => new()
    {
        ["LD_PRELOAD"] = Library(),
        ["FAKETIME"] = offset.TotalSeconds.ToString("+0;-0", CultureInfo.InvariantCulture),
        // The monotonic clock is shifted with it, by the same time, so that all differences stay right. FAKETIME_DONT_FAKE_MONOTONIC must not
        // be set: libfaketime still converts the ends of .NET's waits, which are on that clock, and every wait ends at once.
    };

    // Debian's package faketime; the variant for programs with several threads.
    private static string Library() =>
        Directory.GetDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("libfaketime is not installed. Run ./test.sh, which installs it, or the package faketime.");
}
