using System.Text.Json;
using System.Text.Json.Serialization;
using LoyaltyService.Observability;

namespace LoyaltyService.Pdi;

// PDI's wire names stay in this file and in PdiClient. Members that the service relies on are required: an answer without one is a
// broken answer, never a default. Members that it does not know are ignored.

internal sealed record PdiTokenAnswer(
    [property: Secret][property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("expires_in")] double? ExpiresIn = null) : Discreet;

internal sealed record PdiIdentifyRequest([property: CustomerIdentity] string CustomerId, string ChannelId, string TransactionId, string? StoreId) : Discreet;

internal sealed record PdiIdentity(string PdiSessionId, [property: CustomerIdentity] string CustomerId, [property: Personal] string CustomerName, long CurrentPoints, string Tier) : Discreet;

internal sealed record PdiItem(string Sku, int Qty, decimal? UnitPrice, string? Category);

internal sealed record PdiCalculateRequest(
    string PdiSessionId, decimal TransactionAmount, IReadOnlyList<PdiItem> Items, long? RedeemPoints);

internal sealed record PdiRewards(
    string PdiSessionId,
    long BasePoints,
    long TierBonus,
    long BonusPoints,
    long EarnedPoints,
    decimal Multiplier,
    long? RedeemablePoints = null,
    decimal? Discount = null);

internal sealed record PdiFinalizeRequest(
    string PdiSessionId, string TransactionId, decimal FinalAmount, long EarnedPoints, long RedeemPoints, bool ApplyRewards);

internal sealed record PdiReceipt(string PdiSessionId, string ReceiptId, long EarnedPoints, long RedeemedPoints, long NewBalance);

internal sealed record PdiSessionState(
    string PdiSessionId,
    string Status,
    long? EarnedPoints = null,
    long? RedeemedPoints = null,
    long? NewBalance = null,
    string? ReceiptId = null)
{
    /// <summary>The receipt of a session that PDI has finalized; null if it has not.</summary>
    public PdiReceipt? Receipt => Status == "finalized" && ReceiptId is not null && EarnedPoints is { } earned
        && RedeemedPoints is { } redeemed && NewBalance is { } balance
        ? new PdiReceipt(PdiSessionId, ReceiptId, earned, redeemed, balance)
        : null;
}

/// <summary>A business refusal by PDI: its own code and message, kept for the caller and for the audit.</summary>
internal sealed record PdiRejection(string Code, [property: Personal] string Message) : Discreet
{
    /// <summary>PDI no longer has its session open: it was finalized, voided or forgotten.</summary>
    public bool IsSessionGone => Code is "SESSION_NOT_FOUND" or "SESSION_CLOSED";
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
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
