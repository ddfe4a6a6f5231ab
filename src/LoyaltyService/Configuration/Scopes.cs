namespace LoyaltyService.Configuration;

/// <summary>What a caller may do; each is the name of a policy too.</summary>
internal static class Scopes
{
    /// <summary>The business routes.</summary>
    public const string Loyalty = "loyalty";

    /// <summary>The operator routes.</summary>
    public const string Ops = "ops";

    public const string ClaimType = "scope";
}
