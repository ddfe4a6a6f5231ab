
namespace LoyaltyService.Http;

/// <summary>The headers of this service that have no name in the framework.</summary>
internal static class Headers
{
    public const string IdempotencyKey = "Idempotency-Key";
    public const string IdempotentReplayed = "Idempotent-Replayed";
    public const string RequestId = "X-Request-Id";
}
