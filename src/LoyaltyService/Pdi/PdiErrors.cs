using LoyaltyService.Http;

namespace LoyaltyService.Pdi;

/// <summary>The error codes of calls to PDI.</summary>
internal static class PdiErrors
{
    public static readonly ErrorCode Rejected = new(
        "pdi_rejected", 400, "PDI rejected the operation.", "Read `pdiCode` and correct the request. PDI rejects the same request again.");

    public static readonly ErrorCode Unavailable = new(
        "pdi_unavailable", 503, "PDI is unavailable.", "Repeat after `Retry-After` seconds, or without the redemption.");

    public static readonly ErrorCode AuthFailed = new(
        "pdi_auth_failed", 503, "PDI rejected the service's credentials.", "Repeat after `Retry-After` seconds; an operator has to act.");

    public static IReadOnlyList<ErrorCode> All => [Rejected, Unavailable, AuthFailed];
}
