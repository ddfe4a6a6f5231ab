using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace LoyaltyService.OpenApi;

/// <summary>
/// The records' members as they are on the wire. A request's members are nullable so that validation can name one that is missing, and
/// an answer leaves out what is null; so a member is either there with a value or not there, and null is no type.
/// </summary>
internal static class SchemaTransformer
{
    public static Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var api = context.ApplicationServices.GetRequiredService<IOptions<ApiDescription>>().Value;
        // A record may be met first as a member of another one; its schema is the same.
        if (context.JsonTypeInfo.Kind is JsonTypeInfoKind.Object)
            TransformObject(schema, context.JsonTypeInfo, api);
        if (context.JsonPropertyInfo is { } property)
            TransformMember(schema, property, api);
        return Task.CompletedTask;
    }

    /// <summary>A nullable member of a record type is "null or that type", which is put together after the members are transformed.</summary>
    public static void RemoveNullAlternatives(OpenApiComponents components)
    {
        foreach (var schema in components.Schemas?.Values.OfType<OpenApiSchema>() ?? [])
        {
            foreach (var (name, member) in schema.Properties?.ToArray() ?? [])
            {
                if (member is OpenApiSchema { OneOf: [{ Type: JsonSchemaType.Null }, var alternative] })
                    schema.Properties![name] = alternative;
            }
        }
    }

    private static void TransformMember(OpenApiSchema schema, JsonPropertyInfo property, ApiDescription api)
    {
        if (!IsNullWritten(property))
            schema.Type &= ~JsonSchemaType.Null;
        // A decimal is exact; "double" would have callers' generators choose a type that is not.
        if ((Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(decimal))
            schema.Format = null;
        api.Shape(schema, property.DeclaringType, property.Name);
    }

    private static void TransformObject(OpenApiSchema schema, JsonTypeInfo type, ApiDescription api)
    {
        if (api.IsOfRequest(type.Type))
            // The required ones are the constructor's parameters without a default.
            schema.AdditionalPropertiesAllowed = false;
        else
            schema.Required = type.Properties
                .Where(property => !property.IsGetNullable || IsNullWritten(property))
                .Select(property => property.Name)
                .ToHashSet();
    }

    private static bool IsNullWritten(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), inherit: false) is [JsonIgnoreAttribute { Condition: JsonIgnoreCondition.Never }];
}
