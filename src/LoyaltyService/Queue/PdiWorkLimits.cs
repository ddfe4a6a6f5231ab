namespace LoyaltyService.Queue;

/// <summary>The limits of the queue for PDI. <see cref="BudgetBounds"/> checks that they fit PDI's budgets.</summary>
internal sealed class PdiWorkLimits
{
    /// <summary>How long the request that wrote a row owns it: finalize's budget and 2 s to store the answer.</summary>
    public TimeSpan OwnedByRequest { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>brief: up to 1000 items (QUEUE_MAX_ITEMS).</summary>
    public int MaxItems { get; init; } = 1000;

    /// <summary>The shortest pause between two attempts (brief: 5–30 s) …</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>… and the longest.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the worker looks for due items. Most are found sooner: other events wake it.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The budgets of all kinds (identify 5 s, finalize 10 s), and 5 s to store the answers.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How many items one replica works on at once: few enough not to overload a PDI that has just recovered. One replica settles 1,000 items
    /// at three calls of 100 ms each in 38 s.
    /// </summary>
    public int Concurrency { get; init; } = 8;

    /// <summary>An item is parked after 50 attempts, not counting those during an outage, …</summary>
    public int MaxAttempts { get; init; } = 50;

    /// <summary>… or after 24 h.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Doubles with each attempt between the two bounds, with jitter down to the first.</summary>
    public TimeSpan PauseAfter(int attempts)
    {
        var longest = Math.Min(LongestPause.TotalSeconds, FirstPause.TotalSeconds * Math.Pow(2, Math.Min(attempts, 10)));
        return TimeSpan.FromSeconds(FirstPause.TotalSeconds + (longest - FirstPause.TotalSeconds) * Random.Shared.NextDouble());
    }
}
