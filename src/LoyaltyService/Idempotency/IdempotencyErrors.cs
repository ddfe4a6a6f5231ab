using LoyaltyService.Http;

namespace LoyaltyService.Idempotency;

/// <summary>What can go wrong with a repeated request.</summary>
internal static class IdempotencyErrors
{
    public static readonly ErrorCode KeyReused = new(
        "idempotency_key_reused", 422, "The same key was used with another body.", "Send the first body again, or use another transaction or key.");

    public static IReadOnlyList<ErrorCode> All => [KeyReused];
}
