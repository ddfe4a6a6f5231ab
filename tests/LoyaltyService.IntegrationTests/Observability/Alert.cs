using System.Text.RegularExpressions;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>An alert of <c>deploy/prometheus/alerts.yaml</c>.</summary>
internal sealed partial record Alert(string Name, string Severity, string RunbookUrl)
{
    public const string Folder = "deploy/prometheus/";

    public static IReadOnlyList<Alert> All() =>
    [
        .. Rule().Matches(Repository.ReadAllText(Folder + "alerts.yaml"))
            .Select(rule => new Alert(rule.Groups["name"].Value, rule.Groups["severity"].Value, rule.Groups["url"].Value)),
    ];

    [GeneratedRegex(@"- alert: (?<name>\w+)\n.*?severity: (?<severity>\w+)\n.*?runbook_url: (?<url>\S+)\n", RegexOptions.Singleline)]
    private static partial Regex Rule();
}
