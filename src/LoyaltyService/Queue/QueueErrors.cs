using LoyaltyService.Http;

namespace LoyaltyService.Queue;

/// <summary>The error codes of the queue.</summary>
internal static class QueueErrors
{
    public static readonly ErrorCode Full = new(
        "queue_full", 503, "Too many sales wait for PDI.", "Repeat after `Retry-After` seconds.");

    public static IReadOnlyList<ErrorCode> All => [Full];
}
