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
    private static readonly string[] Texts =
        ["pending", "active", "pending_finalization", "finalizing", "finalized", "failed"];

    public static string ToText(this SessionStatus status) => Texts[(int)status];

    public static bool IsStatus(string text) => Texts.Contains(text);

    public static SessionStatus Parse(string text) =>
        Array.IndexOf(Texts, text) is >= 0 and var index
            ? (SessionStatus)index
            : throw new InvalidDataException($"\"{text}\" is not a session status.");
}
