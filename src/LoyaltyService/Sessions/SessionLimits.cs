namespace LoyaltyService.Sessions;

/// <summary>The limits of a session's life.</summary>
internal sealed class SessionLimits
{
    /// <summary>brief: 24 h (SESSION_TTL_HOURS).</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long an identify holds its session: the budget at PDI (brief: 5 s) plus 2 s to store the answer.</summary>
    public TimeSpan IdentifyHold { get; init; } = TimeSpan.FromSeconds(7);

    /// <summary>How often a calculation is saved again after another call was faster.</summary>
    public int MaxSaveTries { get; init; } = 5;
}
