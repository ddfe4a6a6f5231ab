using System.Text.Json;
using System.Text.RegularExpressions;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.Documentation;

/// <summary>docs/loyalty.http has the same sale as the output of ./run.sh.</summary>
public sealed partial class SampleCallsTests
{
    [Fact]
    public void The_editors_calls_match_the_printed_calls()
    {
        var printed = Printed().ToList();

        Assert.Equal(["POST /loyalty/identify", "POST /loyalty/calculate-rewards", "POST /loyalty/finalize", "GET /loyalty/sessions/SESSION"], printed.Select(call => call.Line));
        Assert.Equal(printed, ForTheEditor());
    }

    private static IEnumerable<Call> Printed() =>
        Curl().Matches(Repository.ReadAllText("src/LoyaltyService.Local/Welcome.cs").Replace("\\\n", "", StringComparison.Ordinal)).Select(call =>
        {
            var text = call.Value.Replace("'$TXN'", "TXN", StringComparison.Ordinal).Replace("'$SESSION'", "SESSION", StringComparison.Ordinal);
            var body = Data().Match(text).Groups["body"].Value;
            var path = call.Groups["path"].Value.Replace("$SESSION", "SESSION", StringComparison.Ordinal);
            return new Call($"{(body.Length > 0 ? "POST" : "GET")} {path}", JsonHeader().IsMatch(text), Compact(body));
        });

    private static IEnumerable<Call> ForTheEditor() =>
        Repository.ReadAllText("docs/loyalty.http").ReplaceLineEndings("\n").Split("\n### ").Skip(1).Select(block =>
        {
            var text = block
                .Replace("{{host}}", "", StringComparison.Ordinal)
                .Replace("{{transaction}}", "TXN", StringComparison.Ordinal)
                .Replace("{{identify.response.body.$.sessionId}}", "SESSION", StringComparison.Ordinal);
            var (head, body) = text.Split("\n\n", 2) is [var first, var second] ? (first, second) : (text, "");
            return new Call(RequestLine().Match(head).Value.TrimEnd(), JsonHeader().IsMatch(head), Compact(body));
        });

    // Keeps the text of numbers: 150.00 stays 150.00.
    private static string Compact(string body)
    {
        if (string.IsNullOrWhiteSpace(body))
            return "";
        using var document = JsonDocument.Parse(body);
        return JsonSerializer.Serialize(document.RootElement);
    }

    [GeneratedRegex(@"curl -s localhost:\{\{port\}\}(?<path>\S*?)(?=;| ).*")]
    private static partial Regex Curl();

    [GeneratedRegex("-d '(?<body>\\{[^']*\\})'")]
    private static partial Regex Data();

    [GeneratedRegex("Content-Type: application/json", RegexOptions.IgnoreCase)]
    private static partial Regex JsonHeader();

    [GeneratedRegex("^(GET|POST) .*$", RegexOptions.Multiline)]
    private static partial Regex RequestLine();

    private sealed record Call(string Line, bool SaysItIsJson, string Body);
}
