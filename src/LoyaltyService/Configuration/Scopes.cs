namespace LoyaltyService.Configuration;

/// <summary>The scopes of callers; each is also the name of a policy.</summary>
internal static class Scopes
{
    /// <summary>The business routes.</summary>
    public const string Loyalty = "loyalty";

    /// <summary>The operator routes.</summary>
    public const string Ops = "ops";

    public const string ClaimType = "scope";
}
