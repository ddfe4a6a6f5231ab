namespace LoyaltyService.Sessions;

/// <summary>The bounds of a session's life.</summary>
internal sealed class SessionLimits
{
    /// <summary>brief: 24 h (SESSION_TTL_HOURS).</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long an identify holds its session: the budget at PDI (brief: 5 s) plus 2 s to store the answer.</summary>
    public TimeSpan IdentifyHold { get; init; } = TimeSpan.FromSeconds(7);

    /// <summary>How long a repeat waits for the first call before it is told that this one is still running (contract: 5 s).</summary>
    public TimeSpan RepeatWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a waiting repeat looks: often enough for a till, seldom enough for the database.</summary>
    public TimeSpan RepeatPoll { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// How long a call holds its Idempotency-Key at the most: the longest budget (finalize: 10 s) plus room to store the answer.
    /// </summary>
    public TimeSpan KeyLease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a calculation is stored again on top of another one that came first.</summary>
    public int MaxSaveTries { get; init; } = 5;
}
