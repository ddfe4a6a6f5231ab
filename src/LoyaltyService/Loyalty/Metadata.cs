using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoyaltyService.Http;

namespace LoyaltyService.Loyalty;

/// <summary>The caller's own data of a sale: a JSON object of at most 4 KiB, stored and never read.</summary>
internal static class Metadata
{
    public const int MaxBytes = 4096;

    /// <summary>
    /// The object as compact JSON with sorted members and numbers by value, so that the same data has the same text;
    /// null if it contains invalid Unicode or a NUL character, which a database cannot store.
    /// </summary>
    public static string? Canonical(JsonElement metadata)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        try
        {
            // Without the escapes for HTML: they would count towards the 4 KiB.
            using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            Write(writer, metadata);
        }
        catch (InvalidOperationException)
        {
            // The reader's exception for invalid UTF-8 or a lone surrogate.
            return null;
        }

        var text = System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
        // An escaped backslash before "u0000" is not a NUL.
        return text.Replace(@"\\", "", StringComparison.Ordinal).Contains(@"\u0000", StringComparison.Ordinal) ? null : text;
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.Number:
                writer.WriteRawValue(ExactNumber.Parse(element.GetRawText()).ToString());
                break;
            case JsonValueKind.String:
                // Decoded first: copied raw, invalid Unicode would silently change.
                writer.WriteStringValue(element.GetString());
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }
}
