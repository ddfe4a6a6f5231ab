using LoyaltyService.Http;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace LoyaltyService.OpenApi;

/// <summary>The headers of requests and answers, each described once.</summary>
internal static class HeaderReference
{
    private static readonly Dictionary<string, (string Description, OpenApiSchema Schema)> Table = new()
    {
        [HeaderNames.IfMatch] = (
            "The version that the caller decided on, as an entity tag, or `*`. If the session has moved on: 412.",
            new() { Type = JsonSchemaType.String, Examples = ["\"2\""] }),
        [HeaderNames.IfNoneMatch] = (
            "The version that the caller has, as an entity tag. If the session still has it: 304.",
            new() { Type = JsonSchemaType.String, Examples = ["\"2\""] }),
        [Headers.IdempotencyKey] = (
            "A name for this request, 1 to 255 printable ASCII characters. For ten minutes a repeat with the same key and body gets the first answer again.",
            new() { Type = JsonSchemaType.String, Pattern = "^[ -~]{1,255}$" }),
        [Headers.RequestId] = (
            "The trace of this request, for support.",
            new() { Type = JsonSchemaType.String, Examples = [ApiDescription.TraceId] }),
        [HeaderNames.ETag] = (
            "The session's version as an entity tag.",
            new() { Type = JsonSchemaType.String, Examples = ["\"2\""] }),
        [HeaderNames.RetryAfter] = (
            "After how many seconds to ask again.",
            new() { Type = JsonSchemaType.Integer, Minimum = "1" }),
        [HeaderNames.Location] = (
            "Where to ask for the session.",
            new() { Type = JsonSchemaType.String, Format = "uri-reference", Examples = ["/loyalty/sessions/sess_abc123"] }),
        [Headers.IdempotentReplayed] = (
            "`true`: the operation was done before; this is its first answer again. Not there otherwise.",
            new() { Type = JsonSchemaType.String, Enum = ["true"] }),
    };

    public static IOpenApiParameter Parameter(string name, OpenApiDocument document)
    {
        var (description, schema) = Table[name];
        document.AddComponent<IOpenApiParameter>(name, new OpenApiParameter
        {
            Name = name,
            In = ParameterLocation.Header,
            Description = description,
            Schema = schema,
        });
        return new OpenApiParameterReference(name, document);
    }

    public static IOpenApiHeader Header(string name, OpenApiDocument document)
    {
        var (description, schema) = Table[name];
        document.AddComponent<IOpenApiHeader>(name, new OpenApiHeader { Description = description, Schema = schema });
        return new OpenApiHeaderReference(name, document);
    }
}
