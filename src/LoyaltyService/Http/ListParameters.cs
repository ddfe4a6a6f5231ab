using System.Globalization;
using Microsoft.OpenApi;

namespace LoyaltyService.Http;

/// <summary>
/// The query parameters of lists. They are bound as text, so that a wrong value gets this service's error and not the framework's; the API
/// reference gets their shapes from here.
/// </summary>
internal static class ListParameters
{
    /// <param name="route">The list.</param>
    /// <param name="own">The parameters that only this list has, and their shapes.</param>
    public static RouteHandlerBuilder IsList(this RouteHandlerBuilder route, params (string Name, Func<IServiceProvider, OpenApiSchema> Shape)[] own) => route
        .AddOpenApiOperationTransformer((operation, context, _) =>
        {
            foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
                parameter.Schema = Array.Find(own, shape => shape.Name == parameter.Name).Shape?.Invoke(context.ApplicationServices) ?? Shared(parameter.Name) ?? parameter.Schema;
            return Task.CompletedTask;
        })
        .Gives(HttpErrors.ValidationFailed);

    public static OpenApiSchema Flag(IServiceProvider services) => new() { Type = JsonSchemaType.Boolean };

    public static OpenApiSchema OneOf(IEnumerable<string> words) => new() { Type = JsonSchemaType.String, Enum = [.. words] };

    private static OpenApiSchema? Shared(string? name) => name switch
    {
        "limit" => new OpenApiSchema
        {
            Type = JsonSchemaType.Integer,
            Minimum = "1",
            Maximum = PageCursor.MaxLimit.ToString(CultureInfo.InvariantCulture),
            Default = PageCursor.DefaultLimit,
        },
        "from" or "to" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
        _ => null,
    };
}
