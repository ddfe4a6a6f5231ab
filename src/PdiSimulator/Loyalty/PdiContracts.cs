using System.Text.Json.Serialization;

namespace PdiSimulator.Loyalty;

// The bodies of the wire contract. Parameters with a default are optional in requests; the others are required.

internal sealed record IdentifyRequest(string CustomerId, string ChannelId, string TransactionId, string? StoreId = null);

internal sealed record IdentifyResponse(string PdiSessionId, string CustomerId, string CustomerName, long CurrentPoints, Tier Tier);

internal sealed record RewardItem(string Sku, decimal Qty, decimal? UnitPrice = null, string? Category = null);

internal sealed record CalculateRewardsRequest(
    string PdiSessionId,
    decimal TransactionAmount,
    IReadOnlyList<RewardItem> Items,
    long? RedeemPoints = null);

internal sealed record CalculateRewardsResponse(
    string PdiSessionId,
    long BasePoints,
    long TierBonus,
    long BonusPoints,
    long EarnedPoints,
    decimal Multiplier)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? RedeemablePoints { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public decimal? Discount { get; init; }
}

internal sealed record FinalizeRequest(
    string PdiSessionId,
    string TransactionId,
    decimal FinalAmount,
    long EarnedPoints,
    long RedeemPoints,
    bool ApplyRewards);

internal sealed record FinalizeResponse(string PdiSessionId, string ReceiptId, long EarnedPoints, long RedeemedPoints, long NewBalance);

internal sealed record SessionStatusResponse(
    string PdiSessionId,
    string Status,
    long EarnedPoints,
    long RedeemedPoints,
    long NewBalance,
    string? ReceiptId,
    DateTimeOffset? FinalizedAt);
