using LoyaltyService.Privacy;

namespace LoyaltyService.Configuration;

/// <summary>The calls a caller may make.</summary>
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
/// A caller's key. The service knows only the hash, 32 bytes, so that its configuration reveals no key. A client has several keys during a rotation.
/// </summary>
internal sealed record ApiKey(string Client, ApiScopes Scopes, [property: Secret] byte[] SecretSha256)
{
    /// <summary>Without the hash: the hash of a guessable secret reveals the secret.</summary>
    public override string ToString() => $"{Client} ({Scopes})";
}
