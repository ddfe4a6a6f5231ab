using System.Text.RegularExpressions;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>
/// The service as it was released last, built from the repository's history: it runs beside this one while this one is rolled out. Its commit is
/// that of its tag, or without one that which wrote its date into the changelog. Built once, and kept under artifacts/release.
/// </summary>
internal static partial class LastRelease
{
    /// <returns>Its program; null where there is no history, as in a shallow clone or a copy of the files alone.</returns>
    public static async Task<string?> BuildAsync()
    {
        if (await CommitAsync() is not { } commit)
            return null;
        var kept = Repository.PathOf($"artifacts/release/{commit}");
        if (!Directory.Exists(kept))
        {
            var folder = Directory.CreateTempSubdirectory("release-build-");
            try
            {
                await Build.RunAsync($"git -C '{Repository.PathOf("")}' archive {commit} | tar -x", folder.FullName);
                await Build.RunAsync("dotnet build src/LoyaltyService --configuration Release -p:RunAnalyzers=false", folder.FullName);
                Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
                (await Ran.ToItsEndAsync("sh", ["-c", $"cp -r '{folder.FullName}/artifacts/bin/LoyaltyService/release' '{kept}.part' && mv '{kept}.part' '{kept}'"])).Succeeded();
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        return Path.Combine(kept, "LoyaltyService.dll");
    }

    private static async Task<string?> CommitAsync()
    {
        if (await GitAsync("rev-parse", "--is-shallow-repository") != "false")
            return null;
        var present = await GitAsync("rev-parse", "HEAD");
        foreach (var version in Heading().Matches(Repository.ReadAllText("CHANGELOG.md")).Select(heading => heading.Groups["version"].Value))
        {
            var commit = await GitAsync("rev-list", "--max-count=1", $"v{version}") ?? await GitAsync("log", "--reverse", "--format=%H", $"-S## [{version}] - ", "--", "CHANGELOG.md");
            // A release is not the one before itself.
            if (commit?.Split('\n')[0] is { Length: > 0 } found && found != present)
                return found;
        }

        return null;
    }

    private static async Task<string?> GitAsync(params string[] words)
    {
        var ran = await Ran.ToItsEndAsync("git", words, folder: Repository.PathOf(""));
        return ran.ExitCode == 0 ? ran.Output.Trim() : null;
    }

    [GeneratedRegex(@"^## \[(?<version>[0-9.]+)\] - ", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
