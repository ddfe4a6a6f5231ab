using System.Security.Cryptography;
using System.Text;
using LoyaltyService.Configuration;

namespace LoyaltyService.Storage;

internal static class RedisKeys
{
    /// <summary>Two environments on one Redis must not answer for each other: the sessions' database is a part of every key.</summary>
    public static string NameOf(PostgresUrl database) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{string.Join(',', database.Hosts)}/{database.Database}"))[..8]);
}
