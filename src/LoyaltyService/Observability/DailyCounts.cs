namespace LoyaltyService.Observability;

/// <summary>
/// Counts for the daily summary of all replicas, kept in this process until they are written to the database. Metrics would not do: they restart
/// with each process, and the service does not know where they are collected.
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

    /// <summary>A call to a till route.</summary>
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

    /// <param name="time">Since the last sample.</param>
    /// <param name="away">PDI was not usable.</param>
    public void PdiLookedAt(TimeSpan time, bool away)
    {
        Interlocked.Add(ref counts[4], (long)time.TotalMilliseconds);
        if (away)
            Interlocked.Add(ref counts[5], (long)time.TotalMilliseconds);
    }

    /// <summary>Takes the counts since the last call.</summary>
    public IReadOnlyList<(string Name, long Count)> Take() =>
        [.. Names.Select((name, index) => (name, Interlocked.Exchange(ref counts[index], 0))).Where(count => count.Item2 != 0)];

    /// <summary>Returns counts that could not be written.</summary>
    public void GiveBack(IReadOnlyList<(string Name, long Count)> taken)
    {
        foreach (var (name, count) in taken)
            Interlocked.Add(ref counts[Array.IndexOf(Names, name)], count);
    }
}
