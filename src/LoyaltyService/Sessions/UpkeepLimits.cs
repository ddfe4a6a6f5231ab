namespace LoyaltyService.Sessions;

/// <summary>The bounds of the jobs' batches in PostgreSQL, besides how many rows one looks at.</summary>
internal sealed class UpkeepLimits
{
    /// <summary>
    /// Bytes of the log that a batch may write, as a till's commit may have to wait until they are on the disk: some 350 sessions that expire, or some 230
    /// that are archived, and 20 in the first moments after a checkpoint, when each writes a page of each index that it is in (measured, bench/README.md).
    /// </summary>
    public int LogOfABatch { get; init; } = 400_000;
}
