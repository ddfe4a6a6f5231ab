using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using LoyaltyService.Configuration;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>A new key: a secret that nobody has seen yet, and the entry for API_KEYS, which does not give it away.</summary>
internal sealed record CreateKey([property: Secret] string Secret, string Entry)
{
    // 256 bits from the system's generator; the prefix lets tools that look for secrets in code and logs recognise one.
    private const int SecretBytes = 32;
    private const string Prefix = "lsk_";

    /// <returns>Null if the name or the scope cannot be used, with what is wrong.</returns>
    public static (CreateKey? Key, string? Problem) For(string name, string scope)
    {
        var secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var entry = $"{name}:{scope}:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))}";
        // The reader of API_KEYS decides what a name and a scope are.
        return ApiKeyParser.Parse(entry) is { Succeeded: false } refused
            ? (null, refused.Problems[0].Description.Replace("entry 1 must", "A key must", StringComparison.Ordinal))
            : (new CreateKey(secret, entry), null);
    }

    /// <summary>Not as records print themselves.</summary>
    public override string ToString() => Entry;
}
