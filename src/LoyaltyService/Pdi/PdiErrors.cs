using LoyaltyService.Http;

namespace LoyaltyService.Pdi;

/// <summary>What can go wrong at PDI.</summary>
internal static class PdiErrors
{
    public static readonly ErrorCode Rejected = new(
        "pdi_rejected", 400, "PDI refused the operation.", "Read `pdiCode`; a corrected request is welcome, the same one will be refused again.");

    public static readonly ErrorCode Unavailable = new(
        "pdi_unavailable", 503, "PDI cannot be asked just now.", "Repeat after `Retry-After` seconds, or leave the redemption out.");

    public static readonly ErrorCode AuthFailed = new(
        "pdi_auth_failed", 503, "PDI does not accept the service's credentials.", "Repeat after `Retry-After` seconds; an operator has to act.");

    public static IReadOnlyList<ErrorCode> All => [Rejected, Unavailable, AuthFailed];
}
