using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Security;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace LoyaltyService.OpenApi;

/// <summary>What the document says about the service as a whole.</summary>
internal static class DocumentTransformer
{
    public const string ServiceName = "loyalty-service";
    public const string ApiKeyScheme = ApiKeyAuthentication.Header;
    public const string BearerScheme = "Bearer";

    public static Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        var api = context.ApplicationServices.GetRequiredService<IOptions<ApiDescription>>().Value;
        // Without the commit: the document is the same for every build of a version.
        document.Info = new OpenApiInfo { Title = ServiceName, Version = Release.Version, Description = Description(context.ApplicationServices.GetServices<ErrorCode>()) };
        // The address that the document was read from is one machine's; callers know their own.
        document.Servers = [];
        foreach (var tag in document.Tags ?? new HashSet<OpenApiTag>())
            tag.Description = api.Tags.GetValueOrDefault(tag.Name!);
        var components = document.Components ??= new OpenApiComponents();
        components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [ApiKeyScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = ApiKeyAuthentication.Header,
                Description = "A client's secret. The key's scopes say which routes it may call: `loyalty` or `ops`.",
            },
            [BearerScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "JWT",
                Description = "A token of the identity provider, with the client's name in `client_id` and its scopes, `loyalty` or `ops`, in `scope` or `scp`.",
            },
        };
        SchemaTransformer.RemoveNullAlternatives(components);
        return Task.CompletedTask;
    }

    private static string Description(IEnumerable<ErrorCode> errors) => $"""
        Loyalty sessions of sales, between tills and PDI.

        Bodies are JSON in UTF-8 of at most 64 KiB; members that the schema does not name are refused. Times are ISO 8601 in UTC.
        Every operation that changes something may be repeated: the same body gets the first answer again.

        Errors are `application/problem+json` (RFC 9457). Decide by `status` and `code`:

        | Status | Code | Title |
        |---|---|---|
        {string.Join('\n', errors.OrderBy(error => error.Status).Select(error => $"| {error.Status} | `{error.Code}` | {error.Title} |"))}
        """.ReplaceLineEndings("\n");
}
