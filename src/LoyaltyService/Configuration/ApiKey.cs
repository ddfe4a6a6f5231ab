using LoyaltyService.Privacy;

namespace LoyaltyService.Configuration;

/// <summary>What a caller may use.</summary>
[Flags]
internal enum ApiScopes
{
    None = 0,

    /// <summary>The calls of a till or an ordering channel.</summary>
    Loyalty = 1,

    /// <summary>The operator's calls.</summary>
    Ops = 2,
}

/// <summary>
/// A caller's key. The service knows only the hash, 32 bytes, so that its configuration gives no key away. A client has several keys while
/// one replaces another.
/// </summary>
internal sealed record ApiKey(string Client, ApiScopes Scopes, [property: Secret] byte[] SecretSha256)
{
    /// <summary>Without the hash: that of a guessable secret gives the secret away.</summary>
    public override string ToString() => $"{Client} ({Scopes})";
}
