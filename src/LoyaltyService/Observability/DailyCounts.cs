namespace LoyaltyService.Observability;

/// <summary>
/// What the daily summary says of all replicas together, counted in this one until it is written to the database. A metric would not do:
/// it begins again with each process, and the service does not know where they are collected.
/// </summary>
internal sealed class DailyCounts
{
    public const string Calls = "calls";
    public const string FailedCalls = "calls_failed";
    public const string PdiRequests = "pdi_requests";
    public const string FailedPdiRequests = "pdi_requests_failed";
    public const string PdiWatched = "pdi_watched_ms";
    public const string PdiAway = "pdi_away_ms";

    private static readonly string[] Names = [Calls, FailedCalls, PdiRequests, FailedPdiRequests, PdiWatched, PdiAway];

    // In the order of the names.
    private readonly long[] counts = new long[Names.Length];

    /// <summary>A call to the tills' routes.</summary>
    public void CallAnswered(bool failed)
    {
        Interlocked.Increment(ref counts[0]);
        if (failed)
            Interlocked.Increment(ref counts[1]);
    }

    public void PdiAnswered(bool failed)
    {
        Interlocked.Increment(ref counts[2]);
        if (failed)
            Interlocked.Increment(ref counts[3]);
    }

    /// <param name="time">Since the last look.</param>
    /// <param name="away">PDI could not be used.</param>
    public void PdiLookedAt(TimeSpan time, bool away)
    {
        Interlocked.Add(ref counts[4], (long)time.TotalMilliseconds);
        if (away)
            Interlocked.Add(ref counts[5], (long)time.TotalMilliseconds);
    }

    /// <summary>What was counted since the last time that it was taken.</summary>
    public IReadOnlyList<(string Name, long Count)> Take() =>
        [.. Names.Select((name, index) => (name, Interlocked.Exchange(ref counts[index], 0))).Where(count => count.Item2 != 0)];

    /// <summary>What was taken could not be written.</summary>
    public void GiveBack(IReadOnlyList<(string Name, long Count)> taken)
    {
        foreach (var (name, count) in taken)
            Interlocked.Add(ref counts[Array.IndexOf(Names, name)], count);
    }
}
