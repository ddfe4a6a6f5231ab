namespace LoyaltyService.Security;

/// <summary>What a caller may do; each is the name of a policy too.</summary>
internal static class Scopes
{
    /// <summary>The business routes.</summary>
    public const string Loyalty = "loyalty";

    /// <summary>The operator routes.</summary>
    public const string Ops = "ops";

    public const string ClaimType = "scope";
}

internal static class CallerExtensions
{
    /// <summary>The calling client: its name in API_KEYS. Sessions belong to it.</summary>
    public static string Client(this HttpContext context) =>
        context.User.Identity?.Name ?? throw new InvalidOperationException("A route without a known caller asked for its name.");
}
