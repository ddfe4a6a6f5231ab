namespace LoyaltyService.Sessions;

/// <summary>
/// Bytes of PostgreSQL's log that one batch may write: a till's commit may have to wait until they are on the disk, and for the core that writes them.
/// With either a batch takes some 10 ms of a small server (measured, bench/README.md).
/// </summary>
internal sealed class UpkeepLimits
{
    /// <summary>Of an expiry: some 350 sessions.</summary>
    public int LogOfAnExpiry { get; init; } = 400_000;

    /// <summary>Of an archive: some 120 sessions, and 11 in the first moments after a checkpoint, when each writes a page of each index that it is in.</summary>
    public int LogOfAnArchive { get; init; } = 200_000;
}
