using System.Globalization;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Loyalty;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using ApiDescription = LoyaltyService.Http.ApiDescription;
using ApiExplorerDescription = Microsoft.AspNetCore.Mvc.ApiExplorer.ApiDescription;

namespace LoyaltyService.OpenApi;

/// <summary>
/// An operation as its route's metadata tells it: errors, headers, who may call, examples. The headers follow from the rest (who can
/// give 412 reads <c>If-Match</c>), so that a route declares nothing twice.
/// </summary>
internal static class OperationTransformer
{
    private const string Json = "application/json";
    private const string ProblemJson = "application/problem+json";
    private const string ProblemSchema = nameof(Problem);

    public static async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var document = context.Document!;
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var api = context.ApplicationServices.GetRequiredService<IOptions<ApiDescription>>().Value;
        var errors = ErrorsOf(metadata, context.ApplicationServices.GetServices<ErrorCode>());
        if (errors.Count > 0)
            document.AddComponent<IOpenApiSchema>(
                ProblemSchema, await context.GetOrCreateSchemaAsync(typeof(Problem), cancellationToken: cancellationToken));

        AddErrors(operation, errors, document, api);
        AddRequestHeaders(operation, errors, document);
        AddAnswerHeaders(operation, errors, context.Description.SupportedResponseTypes, document);
        AddExamples(operation, context.Description, api);
        AddSecurity(operation, metadata, document);
    }

    /// <summary>What the route, its group and its body declare, by status, in the order in which the features registered them.</summary>
    private static List<ErrorCode> ErrorsOf(IList<object> metadata, IEnumerable<ErrorCode> known)
    {
        var declared = metadata.OfType<RouteErrors>().SelectMany(errors => errors.Errors).ToHashSet();
        var hasCommon = metadata.OfType<CommonErrors>().Any();
        return [.. known.Where(error => declared.Contains(error) || (hasCommon && error.IsCommon)).OrderBy(error => error.Status)];
    }

    private static void AddErrors(OpenApiOperation operation, List<ErrorCode> errors, OpenApiDocument document, ApiDescription api)
    {
        operation.Responses ??= [];
        foreach (var ofStatus in errors.GroupBy(error => error.Status).OrderBy(group => group.Key))
        {
            operation.Responses[Text(ofStatus.Key)] = new OpenApiResponse
            {
                Description = string.Join('\n', ofStatus.Select(error => $"- `{error.Code}`: {error.Title} {error.Advice}")),
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [ProblemJson] = new()
                    {
                        Schema = new OpenApiSchemaReference(ProblemSchema, document),
                        Examples = ofStatus.ToDictionary(
                            error => error.Code,
                            IOpenApiExample (error) => new OpenApiExample { Summary = error.Title, Value = api.ProblemExample(error) }),
                    },
                },
            };
        }
    }

    private static void AddRequestHeaders(OpenApiOperation operation, List<ErrorCode> errors, OpenApiDocument document)
    {
        operation.Parameters ??= [];
        if (Has(errors, IdempotencyErrors.KeyReused))
            operation.Parameters.Add(HeaderReference.Parameter(Headers.IdempotencyKey, document));
        if (Has(errors, SessionErrors.PreconditionFailed))
            operation.Parameters.Add(HeaderReference.Parameter(HeaderNames.IfMatch, document));
        if (operation.Responses!.ContainsKey(Text(StatusCodes.Status304NotModified)))
            operation.Parameters.Add(HeaderReference.Parameter(HeaderNames.IfNoneMatch, document));
    }

    private static void AddAnswerHeaders(
        OpenApiOperation operation, List<ErrorCode> errors, IList<ApiResponseType> answers, OpenApiDocument document)
    {
        // A session's version is a number; that of a release is not.
        var isOfSession = answers.Any(answer => answer.Type?.GetProperty(nameof(SessionResponse.Version)) is { } version && version.PropertyType != typeof(string));
        var isRepeatable = Has(errors, IdempotencyErrors.KeyReused);
        // PDI's refusal is remembered where it ends the session, which is where the session begins.
        var isRefusalSettled = isRepeatable && Has(errors, PdiErrors.Rejected) && !Has(errors, SessionErrors.NotFound);
        foreach (var (status, response) in operation.Responses!)
        {
            List<string> names = [Headers.RequestId];
            if (status is "200" or "304" && isOfSession)
                names.Add(HeaderNames.ETag);
            if (status is "202")
                names.Add(HeaderNames.Location);
            if (status is "202" or "429" or "503" || (status is "409" && Has(errors, HttpErrors.OperationInProgress)))
                names.Add(HeaderNames.RetryAfter);
            if ((status is "200" && isRepeatable) || (status is "400" && isRefusalSettled))
                names.Add(Headers.IdempotentReplayed);
            ((OpenApiResponse)response).Headers = names.ToDictionary(name => name, name => HeaderReference.Header(name, document));
        }
    }

    private static void AddExamples(OpenApiOperation operation, ApiExplorerDescription description, ApiDescription api)
    {
        var request = description.ActionDescriptor.EndpointMetadata.OfType<IAcceptsMetadata>().FirstOrDefault()?.RequestType;
        if (request is not null && operation.RequestBody?.Content is { } content && content.TryGetValue(Json, out var body))
            body.Example = api.RequestExample(request);

        foreach (var answer in description.SupportedResponseTypes)
        {
            if (answer.Type is { } type && operation.Responses!.TryGetValue(Text(answer.StatusCode), out var response)
                && response.Content is not null && response.Content.TryGetValue(Json, out var media))
                media.Example = api.AnswerExample(type, answer.StatusCode);
        }
    }

    /// <summary>Either scheme will do; both must carry the scope that the route's policy is named after.</summary>
    private static void AddSecurity(OpenApiOperation operation, IList<object> metadata, OpenApiDocument document)
    {
        var scopes = metadata.OfType<IAuthorizeData>().Select(policy => policy.Policy).OfType<string>().Distinct().ToList();
        if (scopes.Count == 0)
            return;
        string[] schemes = [DocumentTransformer.ApiKeyScheme, DocumentTransformer.BearerScheme];
        operation.Security =
        [
            .. schemes.Select(scheme => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(scheme, document)] = scopes }),
        ];
    }

    private static bool Has(List<ErrorCode> errors, ErrorCode code) => errors.Contains(code);

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
