using System.Text.Json;
using System.Text.RegularExpressions;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>What the runbook says is there, is there.</summary>
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
    public void Every_alert_has_a_page_and_every_page_an_alert()
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
    public void An_alert_points_to_its_page() =>
        Assert.All(Alert.All(), alert => Assert.Equal("docs/runbook.md#" + alert.Name.ToLowerInvariant(), alert.RunbookUrl));

    [Fact]
    public void Every_page_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over() =>
        Assert.All(Page().Matches(Runbook), page =>
            Assert.Equal(["Meaning", "Check", "Action", "Resolved"], Part().Matches(page.Value).Select(part => part.Groups["name"].Value)));

    [Fact]
    public void Every_event_that_is_searched_for_is_logged()
    {
        var searched = SearchedEvent().Matches(Runbook).Select(match => match.Groups["name"].Value).ToList();

        Assert.NotEmpty(searched);
        Assert.All(searched, name => Assert.Contains(name, Logged));
    }

    [Fact]
    public void Every_event_of_the_page_on_PDIs_outage_is_logged()
    {
        var named = NamedEvent().Matches(OutagePage).Select(match => match.Groups["name"].Value).ToList();

        Assert.Contains("WaitingSaleRejected", named);
        Assert.All(named, name => Assert.Contains(name, Logged));
    }

    [Fact]
    public void Every_route_that_is_called_is_there()
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

    // A name of several words; alerts are links.
    [GeneratedRegex(@"`(?<name>([A-Z][a-z]+){2,})`")]
    private static partial Regex NamedEvent();

    [GeneratedRegex(@"(-X (?<method>[A-Z]+) )?""?\$LOYALTY(?<path>/[\w/$-]+)")]
    private static partial Regex Call();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\$[A-Z]+")]
    private static partial Regex Argument();
}
