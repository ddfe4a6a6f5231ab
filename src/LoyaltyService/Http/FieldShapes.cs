using System.Globalization;
using Microsoft.OpenApi;

namespace LoyaltyService.Http;

/// <summary>What <see cref="FieldChecks"/> accept, as shapes in the API reference; a test compares the two.</summary>
internal static class FieldShapes
{
    public static void Id(OpenApiSchema schema) => schema.Pattern = "^[A-Za-z0-9._:-]{1,64}$";

    public static void Text(OpenApiSchema schema) => (schema.MinLength, schema.MaxLength) = (1, 64);

    public static void Time(OpenApiSchema schema) => schema.Format = "date-time";

    public static void Points(OpenApiSchema schema) => (schema.Minimum, schema.Maximum) = ("0", "99999999");

    public static void Version(OpenApiSchema schema) => schema.Minimum = "1";

    public static void Amount(OpenApiSchema schema)
    {
        // A converter reads it, and the generator cannot see the converter's type.
        schema.Type = JsonSchemaType.Number;
        schema.Minimum = "0";
        schema.Maximum = FieldChecks.MaxAmount.ToString(CultureInfo.InvariantCulture);
        schema.MultipleOf = 0.01m;
    }
}
