namespace LoyaltyService.Sessions;

/// <summary>The limits of the jobs' batches in PostgreSQL, besides the rows a batch reads.</summary>
internal sealed class UpkeepLimits
{
    /// <summary>
    /// WAL bytes per batch, because a till's commit may wait until they are on disk: some 350 sessions that expire or 230 that are archived, and 20 right
    /// after a checkpoint, when each writes a whole page of every index that it is in (measured, bench/README.md).
    /// </summary>
    public int LogOfABatch { get; init; } = 400_000;
}
