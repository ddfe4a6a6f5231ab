namespace LoyaltyService.Sessions;

/// <summary>What can happen to a session after it was created; each occurrence is a row of <c>session_events</c>.</summary>
internal enum SessionEvent
{
    /// <summary>PDI identified the customer.</summary>
    Identified,

    /// <summary>PDI rejected the customer.</summary>
    IdentifyRejected,

    /// <summary>Rewards were calculated, by PDI or as an estimate.</summary>
    Calculated,

    /// <summary>A caller requested the finalize: the intent.</summary>
    FinalizeRequested,

    /// <summary>PDI committed the finalize: the effect.</summary>
    Finalized,

    /// <summary>PDI rejected the finalize; the till may correct it.</summary>
    FinalizeRefused,

    /// <summary>The request withdrew its intent to redeem: PDI was unavailable, and was not called.</summary>
    FinalizeWithdrawn,

    /// <summary>PDI rejected a finalize after the session had expired, so it cannot be corrected.</summary>
    RefusedAfterExpiry,

    /// <summary>PDI no longer knows its session, so nothing can be finalized on it.</summary>
    PdiSessionLost,

    /// <summary>The session expired (brief: 24 h).</summary>
    Expired,

    /// <summary>An operator gave up on the call that was still owed.</summary>
    OperatorResolved,
}

/// <summary>The events as they are written in the database.</summary>
internal static class SessionEventText
{
    /// <summary>The first row of every timeline. Not a transition: there was no status before it.</summary>
    public const string Created = "created";

    public static string ToText(this SessionEvent sessionEvent) => sessionEvent switch
    {
        SessionEvent.Identified => "identified",
        SessionEvent.IdentifyRejected => "identify_rejected",
        SessionEvent.Calculated => "calculated",
        SessionEvent.FinalizeRequested => "finalize_requested",
        SessionEvent.Finalized => "finalized",
        SessionEvent.FinalizeRefused => "finalize_refused",
        SessionEvent.FinalizeWithdrawn => "finalize_withdrawn",
        SessionEvent.RefusedAfterExpiry => "refused_after_expiry",
        SessionEvent.PdiSessionLost => "pdi_session_lost",
        SessionEvent.Expired => "expired",
        SessionEvent.OperatorResolved => "operator_resolved",
        _ => throw new ArgumentOutOfRangeException(nameof(sessionEvent), sessionEvent, "Unknown event."),
    };
}
