using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

internal enum OperationKind
{
    Identify,
    Calculate,
    Finalize,
    GetStatus,
}

/// <summary>One run of a business operation: collects the members of its log line.</summary>
internal sealed class Operation(OperationKind kind)
{
    public OperationKind Kind { get; } = kind;

    public string? SessionId { get; set; }

    public string? CustomerId { get; set; }

    public long? EarnedPoints { get; set; }

    public long? RedeemedPoints { get; set; }

    /// <summary>Why the outcome is not a plain success: PDI's code, or the PDI client's error.</summary>
    public string? Reason { get; set; }

    /// <summary>Sets the session, each time it is known better.</summary>
    public void IsAbout(Session session)
    {
        SessionId ??= Sessions.SessionId.Format(session.Id);
        CustomerId = session.CustomerId;
        if (session.RewardSource is null)
            return;
        EarnedPoints = session.EarnedPoints;
        RedeemedPoints = session.Status is SessionStatus.Finalized ? session.RedeemedPoints : null;
    }
}
