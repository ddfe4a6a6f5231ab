using System.Globalization;
using LoyaltyService.Http;
using LoyaltyService.Security;
using LoyaltyService.Sessions;
using Microsoft.OpenApi;

namespace LoyaltyService.OpenApi;

/// <summary>The parameters of the operators' lists: what their types would say, if a wrong value were the framework's to refuse.</summary>
internal static class ListParameters
{
    public static RouteHandlerBuilder IsList(this RouteHandlerBuilder route) => route
        .AddOpenApiOperationTransformer(static (operation, _, _) =>
        {
            foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
                parameter.Schema = SchemaOf(parameter.Name) ?? parameter.Schema;
            return Task.CompletedTask;
        })
        .Gives(ErrorCode.ValidationFailed);

    private static OpenApiSchema? SchemaOf(string? name) => name switch
    {
        "limit" => new OpenApiSchema
        {
            Type = JsonSchemaType.Integer,
            Minimum = "1",
            Maximum = PageCursor.MaxLimit.ToString(CultureInfo.InvariantCulture),
            Default = PageCursor.DefaultLimit,
        },
        "parked" or "resolved" => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        "from" or "to" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
        "status" => new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. Enum.GetValues<SessionStatus>().Select(status => status.ToText())] },
        "action" => new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. AuditActions.All] },
        _ => null,
    };
}
