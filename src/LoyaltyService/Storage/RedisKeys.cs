using System.Security.Cryptography;
using System.Text;
using LoyaltyService.Configuration;

namespace LoyaltyService.Storage;

internal static class RedisKeys
{
    /// <summary>Environments may share a Redis, so every key contains the database's name.</summary>
    public static string NameOf(PostgresUrl database) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{string.Join(',', database.Hosts)}/{database.Database}"))[..8]);
}
