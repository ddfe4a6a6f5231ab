using LoyaltyService.Http;

namespace LoyaltyService.Security;

/// <summary>Errors of authentication, besides invalid credentials.</summary>
internal static class SecurityErrors
{
    public static readonly ErrorCode AuthorityUnavailable = new(
        "authority_unavailable", 503, "The token cannot be verified now.", "Repeat the same request after `Retry-After` seconds; the token may be valid.")
    {
        IsCommon = true,
    };

    public static IReadOnlyList<ErrorCode> All => [AuthorityUnavailable];
}
