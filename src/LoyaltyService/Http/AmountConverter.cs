using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoyaltyService.Http;

/// <summary>Reads an amount of money exactly: one that would have to be rounded is rejected, because it is another amount.</summary>
internal sealed class AmountConverter : JsonConverter<decimal>
{
    public const string TooManyDecimals = "must have at most two decimals.";

    // Every decimal holds this many digits.
    private const int AlwaysExact = 28;

    public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is not JsonTokenType.Number || !reader.TryGetDecimal(out var amount))
            throw new JsonException();

        var text = reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan;
        if ((text.Length > AlwaysExact || text.ContainsAny((byte)'e', (byte)'E'))
            && ExactNumber.Parse(Encoding.ASCII.GetString(text)).Decimals > amount.Scale)
            throw new JsonException(TooManyDecimals);
        return amount;
    }

    public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
}
