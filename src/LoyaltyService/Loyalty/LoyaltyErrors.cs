using LoyaltyService.Http;

namespace LoyaltyService.Loyalty;

/// <summary>The error codes of a sale, besides those of any session.</summary>
internal static class LoyaltyErrors
{
    public static readonly ErrorCode TransactionMismatch = new(
        "transaction_mismatch", 400, "The session belongs to another transaction.", "Send the `transactionId` that the session was identified with.");

    public static IReadOnlyList<ErrorCode> All => [TransactionMismatch];
}
