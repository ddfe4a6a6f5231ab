
namespace LoyaltyService.Http;

/// <summary>This service's headers that have no name in the framework.</summary>
internal static class Headers
{
    public const string IdempotencyKey = "Idempotency-Key";
    public const string IdempotentReplayed = "Idempotent-Replayed";
    public const string RequestId = "X-Request-Id";
}
