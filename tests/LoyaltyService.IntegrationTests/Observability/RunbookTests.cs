using System.Text.Json;
using System.Text.RegularExpressions;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>Everything that the runbook mentions exists.</summary>
public sealed partial class RunbookTests
{
    private static readonly string Runbook = Repository.ReadAllText("docs/runbook.md");
    private static readonly string OutagePage = Repository.ReadAllText("docs/pdi-outage.md");

    private static readonly HashSet<string> Logged =
    [
        .. Directory.EnumerateFiles(Repository.PathOf("src/LoyaltyService"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => LoggedEvent().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups["name"].Value),
    ];

    [Fact]
    public void Alerts_and_runbook_pages_match_one_to_one()
    {
        var section = "";
        var pages = new List<string>();
        foreach (var heading in Heading().Matches(Runbook).Select(match => match.Groups["text"].Value))
        {
            if (heading.StartsWith("## ", StringComparison.Ordinal))
                section = heading["## ".Length..];
            else
                pages.Add($"{section.ToLowerInvariant()} {heading["### ".Length..]}");
        }

        Assert.Equal(Alert.All().Select(alert => $"{alert.Severity} {alert.Name}"), pages);
    }

    [Fact]
    public void An_alert_links_to_its_page() =>
        Assert.All(Alert.All(), alert => Assert.Equal("docs/runbook.md#" + alert.Name.ToLowerInvariant(), alert.RunbookUrl));

    [Fact]
    public void Every_page_has_the_four_required_sections() =>
        Assert.All(Page().Matches(Runbook), page =>
            Assert.Equal(["Meaning", "Check", "Action", "Resolved"], Part().Matches(page.Value).Select(part => part.Groups["name"].Value)));

    [Fact]
    public void Every_event_in_a_log_query_is_logged()
    {
        var searched = SearchedEvent().Matches(Runbook).Select(match => match.Groups["name"].Value).ToList();

        Assert.NotEmpty(searched);
        Assert.All(searched, name => Assert.Contains(name, Logged));
    }

    [Fact]
    public void Every_event_in_the_PDI_outage_guide_is_logged()
    {
        var named = NamedEvent().Matches(OutagePage).Select(match => match.Groups["name"].Value).ToList();

        Assert.Contains("WaitingSaleRejected", named);
        Assert.All(named, name => Assert.Contains(name, Logged));
    }

    [Fact]
    public void Every_called_route_exists()
    {
        using var openApi = JsonDocument.Parse(Repository.ReadAllText("docs/openapi.json"));
        var known = openApi.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {Placeholder().Replace(path.Name, "*")}"))
            .ToHashSet();
        var called = Call().Matches(Runbook)
            .Select(match => $"{(match.Groups["method"] is { Length: > 0 } method ? method.Value : "GET")} {Argument().Replace(match.Groups["path"].Value, "*")}")
            .ToList();

        Assert.True(called.Count > 10, "The runbook calls nothing.");
        Assert.All(called, call => Assert.Contains(call, known));
    }

    [GeneratedRegex("^(?<text>###? .+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^### .+?(?=^###? |\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Page();

    [GeneratedRegex(@"^\*\*(?<name>\w+)\.\*\*", RegexOptions.Multiline)]
    private static partial Regex Part();

    [GeneratedRegex("EventName = \"(?<name>\\w+)\"")]
    private static partial Regex LoggedEvent();

    [GeneratedRegex("\\.event == \"(?<name>\\w+)\"")]
    private static partial Regex SearchedEvent();

    // Event names have several words. Links are alerts.
    [GeneratedRegex(@"`(?<name>([A-Z][a-z]+){2,})`")]
    private static partial Regex NamedEvent();

    [GeneratedRegex(@"(-X (?<method>[A-Z]+) )?""?\$LOYALTY(?<path>/[\w/$-]+)")]
    private static partial Regex Call();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\$[A-Z]+")]
    private static partial Regex Argument();
}
