using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using LoyaltyService.Configuration;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>A new key: its secret, and the entry for API_KEYS, which does not reveal the secret.</summary>
internal sealed record CreateKey([property: Secret] string Secret, string Entry)
{
    // 256 bits from the system's generator. Secret scanners recognize the prefix.
    private const int SecretBytes = 32;
    private const string Prefix = "lsk_";

    /// <returns>The key, or the problem if the name or the scope is invalid.</returns>
    public static (CreateKey? Key, string? Problem) For(string name, string scope)
    {
        var secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var entry = $"{name}:{scope}:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))}";
        // The parser of API_KEYS validates the name and the scope.
        return ApiKeyParser.Parse(entry) is { Succeeded: false } refused
            ? (null, refused.Problems[0].Description.Replace("entry 1 must", "A key must", StringComparison.Ordinal))
            : (new CreateKey(secret, entry), null);
    }

    /// <summary>Omits the secret, which a record would print.</summary>
    public override string ToString() => Entry;
}
