namespace PdiSimulator.Loyalty;

/// <summary>PDI's session. Identify opens it; finalize or a void on demand closes it.</summary>
internal sealed record Session(
    string PdiSessionId,
    string CustomerId,
    string ChannelId,
    string TransactionId,
    string? StoreId,
    string Status,
    DateTimeOffset OpenedAt,
    DateTimeOffset? FinalizedAt = null,
    decimal? FinalAmount = null,
    long EarnedPoints = 0,
    long RedeemedPoints = 0,
    long? NewBalance = null,
    string? ReceiptId = null)
{
    // Lower case on the wire and in the ledger.
    public const string Open = "open";
    public const string Finalized = "finalized";
    public const string Voided = "voided";

    public bool IsOpen => Status == Open;
}
