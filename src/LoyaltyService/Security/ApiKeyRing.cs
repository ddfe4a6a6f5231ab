using System.Security.Cryptography;
using System.Text;
using LoyaltyService.Configuration;

namespace LoyaltyService.Security;

/// <summary>
/// The valid keys. A lookup compares all of them in constant time, match or not. The response time reveals neither how close a secret is nor
/// to which key.
/// </summary>
internal sealed class ApiKeyRing(IReadOnlyList<ApiKey> keys)
{
    // Longer than any issued secret. Hashing longer input would only serve an attacker.
    private const int MaxSecretLength = 256;

    private volatile IReadOnlyList<ApiKey> keys = keys;

    public IReadOnlyList<ApiKey> Keys => keys;

    public void Replace(IReadOnlyList<ApiKey> fresh) => keys = fresh;

    public ApiKey? Find(string secret)
    {
        if (secret.Length is 0 or > MaxSecretLength)
            return null;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(secret), hash);
        ApiKey? found = null;
        foreach (var key in keys)
        {
            if (CryptographicOperations.FixedTimeEquals(key.SecretSha256, hash))
                found = key;
        }

        return found;
    }
}
