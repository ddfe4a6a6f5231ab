namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The SDK, run on sources that are not those of the tests.</summary>
internal static class Build
{
    /// <summary>A line of a shell, which must succeed.</summary>
    public static async Task RunAsync(string line, string folder, IReadOnlyDictionary<string, string?>? differing = null)
    {
        var variables = new Dictionary<string, string?>(differing ?? new Dictionary<string, string?>())
        {
            ["MSBUILDDISABLENODEREUSE"] = "1",
            ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
            // Those of the process that runs the tests would turn the build's folders into the tests' own.
            ["MSBuildSDKsPath"] = null,
            ["MSBUILD_EXE_PATH"] = null,
            ["MSBuildExtensionsPath"] = null,
        };
        // The output goes to a file: a compiler that stays behind would hold a pipe open.
        var ran = await Ran.ToItsEndAsync("sh", ["-c", $"{{ {line}; }} > run.log 2>&1 < /dev/null || {{ cat run.log; exit 1; }}"], variables, folder);
        Assert.True(ran.ExitCode == 0, $"{line}\n{ran.Output}");
    }
}
