using System.ComponentModel;
using System.Diagnostics;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A program that ran to its end: with which code, and what it said, errors included.</summary>
internal sealed record Ran(int ExitCode, string Output)
{
    public static async Task<Ran> ToItsEndAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return new Ran(process.ExitCode, await output + await error);
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException($"{program} is missing. Run ./test.sh, which installs what the tests need.", missing);
        }
    }

    /// <summary>What it said; fails if it did not end with 0.</summary>
    public string Succeeded() => ExitCode == 0 ? Output : throw new InvalidOperationException($"Ended with {ExitCode}: {Output}");
}
