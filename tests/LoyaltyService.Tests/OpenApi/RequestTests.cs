using System.Globalization;
using System.Text.Json.Nodes;
using LoyaltyService.Loyalty;
using LoyaltyService.Storage;

namespace LoyaltyService.Tests.OpenApi;

/// <summary>The service accepts exactly the requests that the document describes.</summary>
[Collection(ReadingTests.Name)]
public sealed class RequestTests(RunningService service)
{
    public static TheoryData<string> Schemas => [.. RequestBodies.Schemas];

    [Theory]
    [InlineData("identify", """{"customerId":"CUST-12345","channelId":"POS-001","transactionId":"TXN-67890"}""")]
    [InlineData("calculate-rewards", """{"sessionId":"sess_abc123","transactionAmount":150.00,"items":[{"sku":"SKU-001","qty":2}]}""")]
    [InlineData("finalize", """{"sessionId":"sess_abc123","transactionId":"TXN-67890","finalAmount":150.00,"applyRewards":true}""")]
    public async Task The_examples_are_the_agreed_ones(string route, string expected)
    {
        var body = Body(await service.ReadDocumentAsync(), "/loyalty/" + route);

        Assert.Equal(expected, body["example"]!.ToJsonString());
    }

    [Theory]
    [MemberData(nameof(Schemas))]
    public async Task The_example_is_accepted(string name)
    {
        var document = await service.ReadDocumentAsync();

        Assert.Null(await RequestBodies.RefusalOf(name, Example(document, name)));
    }

    [Theory]
    [MemberData(nameof(Schemas))]
    public async Task Required_members_match_the_document(string name)
    {
        var document = await service.ReadDocumentAsync();

        await CheckRequiredAsync(document, name, name, body => body);
    }

    [Theory]
    [MemberData(nameof(Schemas))]
    public async Task Limits_match_the_document(string name)
    {
        var document = await service.ReadDocumentAsync();

        await CheckLimitsAsync(document, name, name, body => body);
    }

    [Fact]
    public async Task Basket_lines_match_the_document()
    {
        var document = await service.ReadDocumentAsync();
        static JsonObject Line(JsonObject body) => body["items"]![0]!.AsObject();

        await CheckRequiredAsync(document, nameof(CalculateRewardsRequest), nameof(RewardItem), Line);
        await CheckLimitsAsync(document, nameof(CalculateRewardsRequest), nameof(RewardItem), Line);
    }

    private static async Task CheckRequiredAsync(JsonObject document, string request, string schema, Func<JsonObject, JsonObject> target)
    {
        var required = Schema(document, schema)["required"]!.AsArray().Select(name => (string)name!).ToHashSet();
        foreach (var (member, _) in Schema(document, schema)["properties"]!.AsObject())
        {
            var body = Example(document, request);
            target(body).Remove(member);
            var refusal = await RequestBodies.RefusalOf(request, body);
            Assert.True(required.Contains(member) == (refusal is not null), $"{schema} without {member}: {refusal?.Detail ?? "accepted"}");
        }

        var unknown = Example(document, request);
        target(unknown)["unknown"] = 1;
        Assert.NotNull(await RequestBodies.RefusalOf(request, unknown));
        Assert.False((bool)Schema(document, schema)["additionalProperties"]!);
    }

    private static async Task CheckLimitsAsync(JsonObject document, string request, string schema, Func<JsonObject, JsonObject> target)
    {
        foreach (var (member, shape) in Schema(document, schema)["properties"]!.AsObject())
        {
            foreach (var (value, isAccepted) in ValuesAtTheLimits(shape!, Example(document, request)[member]))
            {
                var body = Example(document, request);
                target(body)[member] = value;
                var refusal = await RequestBodies.RefusalOf(request, body);
                Assert.True(isAccepted == (refusal is null), $"{schema}.{member} = {value.ToJsonString()}: {refusal?.Detail ?? "accepted"}");
            }
        }
    }

    private static IEnumerable<(JsonNode Value, bool IsAccepted)> ValuesAtTheLimits(JsonNode shape, JsonNode? example)
    {
        var step = Number(shape["multipleOf"]) ?? 1;
        switch ((string?)shape["type"])
        {
            case "integer" or "number":
                yield return (Number(shape["minimum"])!.Value, true);
                yield return (Number(shape["minimum"])!.Value - step, false);
                yield return (Number(shape["minimum"])!.Value + (step / 10), false);
                if (Number(shape["maximum"]) is { } maximum)
                {
                    yield return (maximum, true);
                    yield return (maximum + step, false);
                }

                break;
            case "string":
                var hasPattern = shape["pattern"] is not null;
                Assert.True(!hasPattern || (string)shape["pattern"]! == "^[A-Za-z0-9._:-]{1,64}$");
                var longest = hasPattern ? 64 : (int)shape["maxLength"]!;
                yield return (new string('x', longest), true);
                yield return (new string('x', longest + 1), false);
                yield return ("", false);
                yield return ("a B", !hasPattern);
                yield return ("aZ09._:-", true);
                break;
            case "array":
                var lines = (int)shape["maxItems"]!;
                yield return (Repeated(example!.AsArray()[0]!, lines), true);
                yield return (Repeated(example!.AsArray()[0]!, lines + 1), false);
                yield return (new JsonArray(), (int)shape["minItems"]! == 0);
                break;
            case "object":
                yield return (new JsonObject(), true);
                yield return (new JsonArray(), false);
                break;
            case "boolean":
                yield return ("true", false);
                break;
            default:
                throw new InvalidOperationException($"No limits are known for {shape}.");
        }
    }

    private static JsonArray Repeated(JsonNode item, int count) => [.. Enumerable.Range(0, count).Select(_ => item.DeepClone())];

    private static decimal? Number(JsonNode? node) => node is null ? null : decimal.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);

    private static JsonNode Schema(JsonObject document, string name) => document["components"]!["schemas"]![name]!;

    private static JsonNode Body(JsonObject document, string path) =>
        document["paths"]![path]!["post"]!["requestBody"]!["content"]!["application/json"]!;

    private static JsonObject Example(JsonObject document, string schema) =>
        document["paths"]!.AsObject()
            .Where(path => path.Value!["post"]?["requestBody"] is not null)
            .Select(path => Body(document, path.Key))
            .First(body => (string)body["schema"]!["$ref"]! == "#/components/schemas/" + schema)["example"]!
            .DeepClone().AsObject();
}
