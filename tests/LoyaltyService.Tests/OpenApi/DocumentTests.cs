using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoyaltyService.Http;
using LoyaltyService.Tests.Configuration;

namespace LoyaltyService.Tests.OpenApi;

[Collection(ReadingTests.Name)]
public sealed class DocumentTests(RunningService service)
{
    private const string File = "docs/openapi.json";

    // Answers to requests that no operation of the document is.
    private static readonly ErrorCode[] OutsideOperations = [HttpErrors.NotFound, HttpErrors.MethodNotAllowed];

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task The_committed_document_matches_the_service()
    {
        var served = (await service.ReadDocumentAsync()).ToJsonString(Readable) + "\n";
        if (Environment.GetEnvironmentVariable("UPDATE_OPENAPI") == "1")
            Repository.WriteAllText(File, served);

        Assert.True(
            Repository.ReadAllText(File).ReplaceLineEndings("\n") == served,
            $"{File} is not what the service serves. Run the tests with UPDATE_OPENAPI=1 to write it anew, and read the difference.");
    }

    [Fact]
    public async Task The_document_is_OpenAPI_3_1_and_names_no_machine()
    {
        var document = await service.ReadDocumentAsync();

        Assert.StartsWith("3.1.", (string?)document["openapi"], StringComparison.Ordinal);
        Assert.Equal("loyalty-service", (string?)document["info"]!["title"]);
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+(-[a-z0-9.]+)?$", (string?)document["info"]!["version"]);
        Assert.Null(document["servers"]);
        Assert.DoesNotContain("http://", document.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_error_is_documented_with_status_and_example()
    {
        var operations = Operations(await service.ReadDocumentAsync());

        Assert.All(
            service.Errors.Where(error => !OutsideOperations.Contains(error)),
            error => Assert.Contains(operations, operation => ExampleOf(operation, error) is { } example
                && (int?)example["status"] == error.Status && (string?)example["code"] == error.Code && (string?)example["title"] == error.Title));
    }

    [Fact]
    public async Task Every_POST_documents_its_Idempotency_Key()
    {
        var paths = (await service.ReadDocumentAsync())["paths"]!.AsObject();

        var posts = paths.Where(path => path.Value!["post"] is not null).ToList();
        Assert.NotEmpty(posts);
        Assert.All(posts, path => Assert.Contains(
            "#/components/parameters/Idempotency-Key",
            path.Value!["post"]!["parameters"]!.AsArray().Select(parameter => (string?)parameter!["$ref"])));
    }

    [Fact]
    public async Task The_introduction_lists_every_error_with_its_status()
    {
        var introduction = (string)(await service.ReadDocumentAsync())["info"]!["description"]!;

        Assert.All(service.Errors, error => Assert.Contains($"| {error.Status} | `{error.Code}` |", introduction, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_authenticated_route_documents_authentication_errors()
    {
        var guarded = Operations(await service.ReadDocumentAsync()).Where(operation => operation["security"] is not null);

        Assert.All(guarded, operation => Assert.All(["401", "403", "429", "500", "503"], status => Assert.NotNull(operation["responses"]![status])));
    }

    [Fact]
    public async Task Every_operation_has_a_summary_and_a_description() =>
        Assert.All(Operations(await service.ReadDocumentAsync()), operation =>
        {
            Assert.False(string.IsNullOrWhiteSpace((string?)operation["summary"]), $"{operation["operationId"]} has no summary.");
            Assert.False(string.IsNullOrWhiteSpace((string?)operation["description"]), $"{operation["operationId"]} has no description.");
        });

    [Fact]
    public async Task Every_member_of_a_schema_has_a_description()
    {
        var schemas = (await service.ReadDocumentAsync())["components"]!["schemas"]!.AsObject();

        Assert.All(
            schemas.SelectMany(schema => Members(schema.Value!).Select(member => (Name: $"{schema.Key}.{member.Key}", member.Value))),
            member => Assert.False(string.IsNullOrWhiteSpace((string?)member.Value!["description"]), $"{member.Name} has no description."));
    }

    [Fact]
    public async Task Only_members_that_are_sent_as_null_are_nullable()
    {
        var schemas = (await service.ReadDocumentAsync())["components"]!["schemas"]!.AsObject();

        var nullable = schemas.SelectMany(schema => Members(schema.Value!)
            .Where(member => member.Value!.ToJsonString().Contains("\"null\"", StringComparison.Ordinal))
            .Select(member => $"{schema.Key}.{member.Key}"));

        Assert.Equal(["SessionResponse.finalizedAt"], nullable);
    }

    private static JsonObject Members(JsonNode schema) => schema["properties"]?.AsObject() ?? [];

    private static JsonNode? ExampleOf(JsonNode operation, ErrorCode error) =>
        operation["responses"]![$"{error.Status}"]?["content"]?["application/problem+json"]?["examples"]?[error.Code]?["value"];

    private static List<JsonNode> Operations(JsonObject document) =>
        [.. document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).Select(operation => operation.Value!)];
}
