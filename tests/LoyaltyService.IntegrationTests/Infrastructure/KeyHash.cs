using System.Security.Cryptography;
using System.Text;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The hash of a key's secret, as an entry of API_KEYS has it.</summary>
internal static class KeyHash
{
    public static string Of(string secret)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
        RunLog.Forbid(secret);
        RunLog.Forbid(hash);
        return hash;
    }
}
