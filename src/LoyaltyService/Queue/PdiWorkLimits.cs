namespace LoyaltyService.Queue;

/// <summary>The bounds of what waits for PDI.</summary>
internal sealed class PdiWorkLimits
{
    /// <summary>
    /// How long a row belongs to the request that wrote it: finalize's budget at PDI (brief: 10 s) plus 2 s to store the answer.
    /// </summary>
    public TimeSpan OwnedByRequest { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>brief: up to 1000 items (QUEUE_MAX_ITEMS).</summary>
    public int MaxItems { get; init; } = 1000;

    /// <summary>brief: the worker retries every 5–30 s. This is the shortest pause …</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>… and this the longest.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the worker looks for items that are due; nothing waits for it that is not late already.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>identify (5 s) and finalize (10 s) at their longest, and 5 s to store the answers.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How many items one replica works on at once. A PDI that comes back is not knocked over again, and 1,000 items at three calls of
    /// 100 ms each are done in 38 s by one replica.
    /// </summary>
    public int Concurrency { get; init; } = 8;

    /// <summary>design: parked after 50 attempts, those during an outage not counted, …</summary>
    public int MaxAttempts { get; init; } = 50;

    /// <summary>… or 24 h.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The pause after an attempt: doubled each time between the two bounds, with jitter down to the first.</summary>
    public TimeSpan PauseAfter(int attempts)
    {
        var longest = Math.Min(LongestPause.TotalSeconds, FirstPause.TotalSeconds * Math.Pow(2, Math.Min(attempts, 10)));
        return TimeSpan.FromSeconds(FirstPause.TotalSeconds + (longest - FirstPause.TotalSeconds) * Random.Shared.NextDouble());
    }
}
