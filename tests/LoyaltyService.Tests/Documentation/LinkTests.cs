using System.Text;
using System.Text.RegularExpressions;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Documentation;

/// <summary>Checks the links between the repository's pages.</summary>
public sealed partial class LinkTests
{
    private static readonly string[] NotOurs = ["artifacts", "data", "TestResults", "bin", "obj"];

    public static TheoryData<string> Pages => [.. PagesBelow(Repository.Root()).Select(page => Path.GetRelativePath(Repository.Root(), page))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_relative_link_points_to_a_file_and_a_heading(string page)
    {
        Assert.All(Links(Repository.ReadAllText(page)), link => Assert.True(IsThere(page, link), $"{page} points to {link}, which is not there."));
    }

    [Fact]
    public void Every_path_in_the_readmes_tree_exists()
    {
        var tree = Repository.ReadAllLines("README.md")
            .SkipWhile(line => line != "## Where things are")
            .Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .SelectMany(line => Quoted().Matches(line).Select(match => match.Groups["text"].Value))
            .Where(text => text.Contains('/'))
            .ToList();

        Assert.True(tree.Count > 10, "The README has no tree.");
        Assert.All(tree, path => Assert.True(Exists(Path.Combine(Repository.Root(), path)), $"{path} is not there."));
    }

    [Theory]
    [InlineData("README.md", "docs/configuration.md", true)]
    [InlineData("README.md", "docs/configuration.md#database_url", true)]
    [InlineData("docs/configuration.md", "../README.md#run-it", true)]
    [InlineData("docs/configuration.md", "#redis_url", true)]
    [InlineData("README.md", "docs/nothing.md", false)]
    [InlineData("README.md", "docs/configuration.md#nothing", false)]
    [InlineData("README.md", "#nothing", false)]
    public void A_link_is_broken_if_its_file_or_its_heading_is_missing(string page, string link, bool isThere) =>
        Assert.Equal(isThere, IsThere(page, link));

    [Fact]
    public void Links_in_code_and_external_links_are_ignored() =>
        Assert.Equal(["a.md", "b.md#c"], Links("[a](a.md) [w](https://example.com) `[x](x.md)` [b](b.md#c)\n```\n[y](y.md)\n```\n"));

    [Theory]
    [InlineData("How to add …", "how-to-add-")]
    [InlineData("9. /health/live as liveness probe", "9-healthlive-as-liveness-probe")]
    [InlineData("`pdi_work` and [more](x.md)", "pdi_work-and-more")]
    public void A_heading_has_the_anchor_that_GitHub_gives_it(string heading, string anchor) => Assert.Equal(anchor, Anchor(heading));

    private static IEnumerable<string> PagesBelow(string folder) =>
        Directory.EnumerateFiles(folder, "*.md").Concat(
            Directory.EnumerateDirectories(folder)
                .Where(child => Path.GetFileName(child) is var name && !name.StartsWith('.') && !NotOurs.Contains(name))
                .SelectMany(PagesBelow));

    private static IEnumerable<string> Links(string page) =>
        Link().Matches(WithoutCode(page)).Select(match => match.Groups["target"].Value).Where(target => !Scheme().IsMatch(target));

    private static bool IsThere(string page, string link)
    {
        var (path, anchor) = link.Split('#', 2) is [var before, var after] ? (before, after) : (link, null);
        var source = Path.Combine(Repository.Root(), page);
        var target = path.Length == 0 ? source : Path.Combine(Path.GetDirectoryName(source)!, Uri.UnescapeDataString(path));
        return Exists(target) && (anchor is null || Anchors(File.ReadAllText(target)).Contains(anchor));
    }

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    /// <summary>A repeated heading gets a number.</summary>
    private static HashSet<string> Anchors(string page)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (Match heading in Heading().Matches(Fence().Replace(page, "")))
        {
            var anchor = Anchor(heading.Groups["text"].Value);
            for (var number = 1; !anchors.Add(anchor); number++)
                anchor = $"{Anchor(heading.Groups["text"].Value)}-{number}";
        }

        return anchors;
    }

    /// <summary>As on GitHub: lower-case letters, digits, hyphens and underscores; each space becomes a hyphen.</summary>
    private static string Anchor(string heading)
    {
        var anchor = new StringBuilder();
        foreach (var character in Link().Replace(heading, "${text}").Trim())
        {
            if (char.IsLetterOrDigit(character) || character is '-' or '_')
                anchor.Append(char.ToLowerInvariant(character));
            else if (character == ' ')
                anchor.Append('-');
        }

        return anchor.ToString();
    }

    private static string WithoutCode(string page) => Quoted().Replace(Fence().Replace(page, ""), "");

    [GeneratedRegex(@"\[(?<text>[^\]\n]*)\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^[a-z][a-z0-9+.-]*:", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"^#{1,6} +(?<text>.+?)\r?$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^```.*?^```\r?$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("`(?<text>[^`\n]+)`")]
    private static partial Regex Quoted();
}
