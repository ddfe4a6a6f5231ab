namespace LoyaltyService.Sessions;

/// <summary>
/// Where a session stands. The brief draws "Pending" twice; the second one, "rewards calculated", is <see cref="PendingFinalization"/>.
/// </summary>
internal enum SessionStatus
{
    /// <summary>Created; PDI was not asked yet, or did not answer yet.</summary>
    Pending,

    /// <summary>PDI knows the customer.</summary>
    Active,

    /// <summary>Rewards were calculated at least once.</summary>
    PendingFinalization,

    /// <summary>The intent to finalize is stored; PDI's answer is outstanding. Never expires.</summary>
    Finalizing,

    /// <summary>Committed at PDI. Terminal.</summary>
    Finalized,

    /// <summary>Refused, expired or given up by an operator. Terminal, with a reason.</summary>
    Failed,
}

/// <summary>The statuses as they are written in the database and on the wire.</summary>
internal static class SessionStatusText
{
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<SessionStatus>().Select(ToText)];

    public static string ToText(this SessionStatus status) => status switch
    {
        SessionStatus.Pending => "pending",
        SessionStatus.Active => "active",
        SessionStatus.PendingFinalization => "pending_finalization",
        SessionStatus.Finalizing => "finalizing",
        SessionStatus.Finalized => "finalized",
        SessionStatus.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Unknown status."),
    };

    public static bool IsStatus(string text) => All.Contains(text);

    public static SessionStatus Parse(string text) => text switch
    {
        "pending" => SessionStatus.Pending,
        "active" => SessionStatus.Active,
        "pending_finalization" => SessionStatus.PendingFinalization,
        "finalizing" => SessionStatus.Finalizing,
        "finalized" => SessionStatus.Finalized,
        "failed" => SessionStatus.Failed,
        _ => throw new InvalidDataException($"\"{text}\" is not a session status."),
    };
}
