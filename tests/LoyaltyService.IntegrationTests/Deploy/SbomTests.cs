using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>Compares the SBOM with the restored packages.</summary>
public sealed class SbomTests
{
    // A build tool, which is not shipped.
    private const string Tool = "Microsoft.CodeAnalysis.BannedApiAnalyzers";

    [Fact]
    public async Task It_is_CycloneDX_and_lists_every_locked_package_once()
    {
        var file = Path.GetTempFileName();
        (await Ran.ToItsEndAsync("dotnet", ["run", "deploy/sbom.cs", file], folder: Repository.PathOf("."))).Succeeded();
        using var bom = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        File.Delete(file);

        var root = bom.RootElement;
        Assert.Equal(("CycloneDX", "1.6", 1), (Text(root, "bomFormat"), Text(root, "specVersion"), root.GetProperty("version").GetInt32()));
        var components = root.GetProperty("components").EnumerateArray().ToList();
        Assert.Equal(
            Locked().Select(package => $"library {package} pkg:nuget/{package.Replace(' ', '@')}").Order(StringComparer.Ordinal),
            components.Select(part => $"{Text(part, "type")} {Text(part, "name")} {Text(part, "version")} {Text(part, "purl")}").Order(StringComparer.Ordinal));
        Assert.All(components, part =>
        {
            var hash = Assert.Single(part.GetProperty("hashes").EnumerateArray());
            Assert.Equal("SHA-512", Text(hash, "alg"));
            Assert.Matches("^[0-9a-f]{128}$", Text(hash, "content"));
        });

        // Every dependency is itself in the list.
        var known = components.Select(part => Text(part, "bom-ref")).Append(Text(root.GetProperty("metadata").GetProperty("component"), "bom-ref")).ToHashSet();
        Assert.Equal(known.Count, components.Count + 1);
        var dependencies = root.GetProperty("dependencies").EnumerateArray().ToList();
        Assert.Equal(known.Order(), dependencies.Select(dependency => Text(dependency, "ref")).Order());
        Assert.All(dependencies.SelectMany(dependency => dependency.GetProperty("dependsOn").EnumerateArray()), on => Assert.Contains(on.GetString()!, known));
    }

    private static IEnumerable<string> Locked()
    {
        using var file = JsonDocument.Parse(Repository.ReadAllText("src/LoyaltyService/packages.lock.json"));
        return [.. file.RootElement.GetProperty("dependencies").EnumerateObject()
            .SelectMany(framework => framework.Value.EnumerateObject())
            .Where(package => package.Name != Tool && package.Value.TryGetProperty("resolved", out _))
            .Select(package => $"{package.Name} {Text(package.Value, "resolved")}")
            .Distinct()];
    }

    private static string Text(JsonElement element, string member) => element.GetProperty(member).GetString()!;
}
