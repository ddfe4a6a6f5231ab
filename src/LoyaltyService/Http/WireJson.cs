using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoyaltyService.Http;

/// <summary>
/// The JSON of every route. Input is strict: unknown or duplicate members, comments, trailing commas, numbers in quotes and members in
/// another case are errors, so that an integrator sees a mistake on the first day and not when points are missing.
/// </summary>
internal static class WireJson
{
    private const int MaxDepth = 32;

    /// <summary>For the JSON context of one feature: a context takes possession of its options.</summary>
    public static JsonSerializerOptions NewOptions() => new()
    {
        AllowDuplicateProperties = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        MaxDepth = MaxDepth,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // The answers are JSON and never part of a page: apostrophes stay as they are.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new UtcTimeConverter() },
    };
}

/// <summary>The JSON of what every route may return.</summary>
[JsonSerializable(typeof(Problem))]
internal sealed partial class HttpJson : JsonSerializerContext
{
    public static HttpJson Wire => field ??= new(WireJson.NewOptions());
}

/// <summary>Times as ISO 8601 in UTC with milliseconds, <c>2025-03-16T14:30:45.123Z</c>: the same text from every database.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[24];
        value.UtcDateTime.TryFormat(text, out var written, Format, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..written]);
    }
}
