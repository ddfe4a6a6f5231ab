// Writes the service's bill of materials as CycloneDX 1.6: name, version, hash, licence and dependencies of every package.
//
//     dotnet run deploy/sbom.cs [file]          (default: artifacts/sbom/loyalty-service.cdx.json)
//
// It reads the service's lock file and the hashes and manifests next to the restored packages. It needs no network, and the same packages
// give the same file.
#:property RestorePackagesWithLockFile=false
#:property RestoreLockedMode=false
#:property PublishAot=false

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;

const string Lock = "src/LoyaltyService/packages.lock.json";

var output = args.Length > 0 ? args[0] : "artifacts/sbom/loyalty-service.cdx.json";
if (!File.Exists(Lock))
{
    Console.Error.WriteLine($"{Lock} is missing: run this from the root of the repository.");
    return 66;
}

var folder = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
    ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
var version = XDocument.Load("Directory.Build.props").Descendants("Version").Single().Value;
var packages = JsonNode.Parse(File.ReadAllText(Lock))!["dependencies"]!.AsObject().SelectMany(framework => framework.Value!.AsObject())
    .Where(package => package.Value!["resolved"] is not null)
    // A runtime's section repeats the framework's packages.
    .DistinctBy(package => package.Key, StringComparer.OrdinalIgnoreCase)
    .OrderBy(package => package.Key, StringComparer.OrdinalIgnoreCase)
    .Select(package => (Name: package.Key, Version: (string)package.Value!["resolved"]!, Entry: package.Value!))
    // A build tool: nothing of it is shipped.
    .Where(package => package.Name != "Microsoft.CodeAnalysis.BannedApiAnalyzers")
    .ToList();
var references = packages.ToDictionary(package => package.Name, package => $"pkg:nuget/{package.Name}@{package.Version}", StringComparer.OrdinalIgnoreCase);
var root = $"pkg:generic/loyalty-service@{version}";

var bom = new JsonObject
{
    ["bomFormat"] = "CycloneDX",
    ["specVersion"] = "1.6",
    ["version"] = 1,
    ["metadata"] = new JsonObject
    {
        ["component"] = new JsonObject { ["type"] = "application", ["bom-ref"] = root, ["name"] = "loyalty-service", ["version"] = version },
    },
    ["components"] = Nodes(packages.Select(package => Component(package.Name, package.Version))),
    ["dependencies"] = Nodes(packages
        .Select(package => DependsOn(references[package.Name], package.Entry["dependencies"]?.AsObject().Select(dependency => dependency.Key) ?? []))
        .Prepend(DependsOn(root, packages.Where(package => (string?)package.Entry["type"] == "Direct").Select(package => package.Name)))),
};

Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
File.WriteAllText(output, bom.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n");
Console.WriteLine($"{packages.Count} packages in {output}.");
return 0;

JsonNode Component(string name, string package)
{
    var id = name.ToLowerInvariant();
    var restored = Path.Combine(folder, id, package.ToLowerInvariant());
    if (!Directory.Exists(restored))
        throw new DirectoryNotFoundException($"{restored} is missing: run dotnet restore first.");
    var component = new JsonObject
    {
        ["type"] = "library",
        ["bom-ref"] = references[name],
        ["name"] = name,
        ["version"] = package,
        ["purl"] = references[name],
        ["hashes"] = Nodes([new JsonObject
        {
            ["alg"] = "SHA-512",
            ["content"] = Convert.ToHexStringLower(Convert.FromBase64String(
                File.ReadAllText(Path.Combine(restored, $"{id}.{package.ToLowerInvariant()}.nupkg.sha512")).Trim())),
        }]),
    };
    if (License(Path.Combine(restored, id + ".nuspec")) is { } license)
        component["licenses"] = Nodes([license]);
    return component;
}

// The SPDX expression if the package declares one, otherwise the address of its licence.
JsonNode? License(string manifest)
{
    var metadata = XDocument.Load(manifest).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
    var license = metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "license");
    if (license?.Attribute("type")?.Value == "expression")
        return new JsonObject { ["expression"] = license.Value };
    return (metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "licenseUrl")?.Value ?? license?.Value) is { } where
        ? new JsonObject { ["license"] = new JsonObject { ["name"] = where } }
        : null;
}

JsonNode DependsOn(string reference, IEnumerable<string> names) => new JsonObject
{
    ["ref"] = reference,
    // Dependencies that are part of the framework are not in the lock file.
    ["dependsOn"] = Nodes(names.Where(references.ContainsKey).Select(name => (JsonNode)references[name]).ToArray()),
};

static JsonArray Nodes(IEnumerable<JsonNode> nodes) => new([.. nodes]);
