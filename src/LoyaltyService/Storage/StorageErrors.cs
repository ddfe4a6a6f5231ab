using LoyaltyService.Http;

namespace LoyaltyService.Storage;

/// <summary>What can go wrong with the database.</summary>
internal static class StorageErrors
{
    public static readonly ErrorCode DatabaseUnavailable = new(
        "database_unavailable", 503, "The database cannot be used just now.", "Repeat the same request after `Retry-After` seconds.")
    {
        IsCommon = true,
    };

    public static IReadOnlyList<ErrorCode> All => [DatabaseUnavailable];
}
