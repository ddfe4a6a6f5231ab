using System.Text.Json;
using System.Text.Json.Serialization;
using LoyaltyService.Privacy;

namespace LoyaltyService.Pdi;

// PDI's wire names stay in this file and in PdiClient. Members that the service relies on are required: a response without one is broken,
// never a default. So is text that no database accepts, or a negative number of points. Unknown members are ignored.

internal sealed record PdiTokenAnswer(
    [property: Secret][property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("expires_in")] double? ExpiresIn = null) : RedactedRecord;

internal sealed record PdiIdentifyRequest([property: CustomerIdentity] string CustomerId, string ChannelId, string TransactionId, string? StoreId) : RedactedRecord;

internal sealed record PdiIdentity(string PdiSessionId, [property: CustomerIdentity] string CustomerId, [property: Personal] string CustomerName, long CurrentPoints, string Tier) : RedactedRecord;

internal sealed record PdiItem(string Sku, int Qty, decimal? UnitPrice, string? Category);

internal sealed record PdiCalculateRequest(
    string PdiSessionId, decimal TransactionAmount, IReadOnlyList<PdiItem> Items, long? RedeemPoints);

internal sealed record PdiRewards(
    string PdiSessionId,
    [property: JsonConverter(typeof(PdiPoints))] long BasePoints,
    [property: JsonConverter(typeof(PdiPoints))] long TierBonus,
    [property: JsonConverter(typeof(PdiPoints))] long BonusPoints,
    [property: JsonConverter(typeof(PdiPoints))] long EarnedPoints,
    decimal Multiplier,
    [property: JsonConverter(typeof(PdiPoints))] long? RedeemablePoints = null,
    decimal? Discount = null);

internal sealed record PdiFinalizeRequest(
    string PdiSessionId, string TransactionId, decimal FinalAmount, long EarnedPoints, long RedeemPoints, bool ApplyRewards);

internal sealed record PdiReceipt(
    string PdiSessionId,
    string ReceiptId,
    [property: JsonConverter(typeof(PdiPoints))] long EarnedPoints,
    [property: JsonConverter(typeof(PdiPoints))] long RedeemedPoints,
    long NewBalance);

internal sealed record PdiSessionState(
    string PdiSessionId,
    string Status,
    [property: JsonConverter(typeof(PdiPoints))] long? EarnedPoints = null,
    [property: JsonConverter(typeof(PdiPoints))] long? RedeemedPoints = null,
    long? NewBalance = null,
    string? ReceiptId = null) : IJsonOnDeserialized
{
    [JsonIgnore]
    public bool IsFinalized => Status == "finalized";

    /// <summary>The receipt of a session that PDI has finalized; null if it has not.</summary>
    [JsonIgnore]
    public PdiReceipt? Receipt => IsFinalized && ReceiptId is not null && EarnedPoints is { } earned
        && RedeemedPoints is { } redeemed && NewBalance is { } balance
        ? new PdiReceipt(PdiSessionId, ReceiptId, earned, redeemed, balance)
        : null;

    /// <summary>A finalized session without its receipt must not pass for one that is not finalized.</summary>
    void IJsonOnDeserialized.OnDeserialized()
    {
        if (IsFinalized && Receipt is null)
            throw new JsonException("A finalized session without its receipt.");
    }
}

/// <summary>A business rejection by PDI: its code and message, kept for the caller and the audit.</summary>
internal sealed record PdiRejection(string Code, [property: Personal] string Message) : RedactedRecord
{
    /// <summary>PDI no longer has its session open: it was finalized, voided or forgotten.</summary>
    public bool IsSessionGone => Code is "SESSION_NOT_FOUND" or "SESSION_CLOSED";
}

/// <summary>Earned or redeemed points. Not for balances: after a return a balance may be negative.</summary>
internal sealed class PdiPoints : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.Number && reader.TryGetInt64(out var points) && points >= 0
            ? points
            : throw new JsonException("Not a number of points.");

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
}

/// <summary>Text without NUL, which PostgreSQL rejects.</summary>
internal sealed class PdiText : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.String && reader.GetString() is { } text && !text.Contains('\0')
            ? text
            : throw new JsonException("Not a text.");

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(PdiText)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PdiTokenAnswer))]
[JsonSerializable(typeof(PdiIdentifyRequest))]
[JsonSerializable(typeof(PdiIdentity))]
[JsonSerializable(typeof(PdiCalculateRequest))]
[JsonSerializable(typeof(PdiRewards))]
[JsonSerializable(typeof(PdiFinalizeRequest))]
[JsonSerializable(typeof(PdiReceipt))]
[JsonSerializable(typeof(PdiSessionState))]
[JsonSerializable(typeof(PdiRejection))]
internal sealed partial class PdiJson : JsonSerializerContext;
