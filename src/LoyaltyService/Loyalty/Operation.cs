using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

internal enum OperationKind
{
    Identify,
    Calculate,
    Finalize,
    GetStatus,
}

/// <summary>One run of a business operation: what its line in the log will say of it, gathered while it runs.</summary>
internal sealed class Operation(OperationKind kind)
{
    public OperationKind Kind { get; } = kind;

    public string? SessionId { get; set; }

    public string? CustomerId { get; set; }

    public long? EarnedPoints { get; set; }

    public long? RedeemedPoints { get; set; }

    /// <summary>Why the outcome is not the usual one: PDI's code, or what PDI's client said.</summary>
    public string? Reason { get; set; }

    /// <summary>The session that the operation is about, each time it is known better.</summary>
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
