using LoyaltyService.Http;

namespace LoyaltyService.Idempotency;

/// <summary>The rejections of repeated requests.</summary>
internal static class IdempotencyRejections
{
    private static readonly TimeSpan InProgressRetryAfter = TimeSpan.FromSeconds(1);

    public static Rejection KeyReused(string what) => new(IdempotencyErrors.KeyReused, $"{what} was sent before with another body.");

    public static Rejection InProgress(string detail) => new(HttpErrors.OperationInProgress, detail) { RetryAfter = InProgressRetryAfter };
}
