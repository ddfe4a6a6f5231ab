namespace LoyaltyService.Sessions;

/// <summary>
/// A session's status. The brief draws "Pending" twice; the second one, "rewards calculated", is <see cref="PendingFinalization"/>.
/// </summary>
internal enum SessionStatus
{
    /// <summary>Created; PDI was not called yet, or has not answered yet.</summary>
    Pending,

    /// <summary>PDI has identified the customer.</summary>
    Active,

    /// <summary>Rewards were calculated at least once.</summary>
    PendingFinalization,

    /// <summary>The intent to finalize is stored; PDI has not answered yet. Never expires.</summary>
    Finalizing,

    /// <summary>Committed at PDI. Terminal.</summary>
    Finalized,

    /// <summary>Rejected, expired or given up by an operator. Terminal, with a reason.</summary>
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

    /// <summary>For an SQL <c>in</c>: <c>'pending', 'active'</c>.</summary>
    public static string ToSqlList(this IEnumerable<SessionStatus> statuses) => string.Join(", ", statuses.Select(status => $"'{status.ToText()}'"));

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
