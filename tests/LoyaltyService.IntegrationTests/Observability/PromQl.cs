using System.Text.RegularExpressions;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>Extracts the selectors of PromQL queries.</summary>
internal static partial class PromQl
{
    private static readonly string[] Operators = ["and", "or", "unless"];

    /// <summary>Returns the selectors of a query without their ranges, such as <c>up{job="loyalty-service"}</c>.</summary>
    public static IReadOnlyList<string> Selectors(string query) =>
        [.. Part().Matches(query).Select(part => part.Groups["selector"].Value).Where(text => text.Length > 0 && !Operators.Contains(text)).Distinct()];

    // Skips everything else first: strings, `sum by (…)`, ranges and offsets. A name before a parenthesis is a function.
    [GeneratedRegex("""
        "[^"]*" | (\b\w+\s+)?\b(by|on)\s*\([^)]*\) | \[[^\]]*\] | \boffset\s+\w+ | \b(?<selector>[a-z_]+(\{[^}]*\})?)(?!\s*\(|\w)
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Part();
}
