using LoyaltyService.Http;

namespace LoyaltyService.Loyalty;

/// <summary>What can go wrong with a sale, besides what any session shares.</summary>
internal static class LoyaltyErrors
{
    public static readonly ErrorCode TransactionMismatch = new(
        "transaction_mismatch", 400, "The transaction is not the session's.", "Send the `transactionId` that the session was identified with.");

    public static IReadOnlyList<ErrorCode> All => [TransactionMismatch];
}
