namespace LoyaltyService.Configuration;

/// <summary>How clients that are known by a token are named everywhere: with a prefix whose colon no key's name can have.</summary>
internal static class TokenClients
{
    /// <summary>The token's <c>client_id</c> or <c>azp</c> follows.</summary>
    public const string ClientPrefix = "jwt:";

    /// <summary>The subject of a token that names no client follows.</summary>
    public const string SubjectPrefix = "jwt-sub:";
}
