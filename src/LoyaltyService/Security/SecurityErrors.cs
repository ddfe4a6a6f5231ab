using LoyaltyService.Http;

namespace LoyaltyService.Security;

/// <summary>What can go wrong with credentials, besides being wrong.</summary>
internal static class SecurityErrors
{
    public static readonly ErrorCode AuthorityUnavailable = new(
        "authority_unavailable", 503, "The token cannot be checked just now.", "Repeat the same request after `Retry-After` seconds; the token may be good.")
    {
        IsCommon = true,
    };

    public static IReadOnlyList<ErrorCode> All => [AuthorityUnavailable];
}
