using System.Text.Json.Nodes;

namespace LoyaltyService.Tests.OpenApi;

[Collection(ReadingTests.Name)]
public sealed class AnswerExampleTests(RunningService service)
{
    /// <summary>The agreed members come first, in order; the service's additions follow.</summary>
    [Theory]
    [InlineData("identify", """{"sessionId":"sess_abc123","status":"active","customerName":"John Doe","currentPoints":5000,"tier":"Gold",""")]
    [InlineData("calculate-rewards", """{"earnedPoints":450,"multiplier":3.0,"bonusPoints":150,"breakdown":{"basePoints":300,"tierBonus":150},""")]
    [InlineData("finalize", """{"sessionId":"sess_abc123","status":"finalized","earnedPoints":450,"newBalance":5450,"receiptId":"RCP-2025-001",""")]
    public async Task Examples_start_with_the_agreed_members(string route, string expected)
    {
        var document = await service.ReadDocumentAsync();

        var example = document["paths"]!["/loyalty/" + route]!["post"]!["responses"]!["200"]!["content"]!["application/json"]!["example"]!;

        Assert.StartsWith(expected, example.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Examples_have_all_required_members_and_no_unknown_ones()
    {
        var document = await service.ReadDocumentAsync();
        var media = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject())
            .SelectMany(operation => operation.Value!["responses"]!.AsObject())
            .SelectMany(response => response.Value!["content"]?.AsObject() ?? [])
            .Select(content => content.Value!)
            .ToList();

        Assert.NotEmpty(media);
        Assert.All(media, content =>
        {
            var schema = document["components"]!["schemas"]![((string)content["schema"]!["$ref"]!).Split('/')[^1]]!;
            Assert.All(ExamplesOf(content), example => Check(example.AsObject(), schema));
        });
    }

    private static List<JsonNode> ExamplesOf(JsonNode content) =>
        content["example"] is { } one ? [one] : [.. content["examples"]!.AsObject().Select(example => example.Value!["value"]!)];

    private static void Check(JsonObject example, JsonNode schema)
    {
        var members = example.Select(member => member.Key).ToList();
        Assert.Empty(schema["required"]!.AsArray().Select(name => (string)name!).Except(members));
        Assert.Empty(members.Except(schema["properties"]!.AsObject().Select(member => member.Key)));
    }
}
