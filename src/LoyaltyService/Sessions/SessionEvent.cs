namespace LoyaltyService.Sessions;

/// <summary>What can happen to a session after it was created; each occurrence is a row of <c>session_events</c>.</summary>
internal enum SessionEvent
{
    /// <summary>PDI told who the customer is.</summary>
    Identified,

    /// <summary>PDI does not accept the customer.</summary>
    IdentifyRejected,

    /// <summary>Rewards were calculated, by PDI or as an estimate.</summary>
    Calculated,

    /// <summary>A caller asked to finalize: the intent.</summary>
    FinalizeRequested,

    /// <summary>PDI committed the finalize: the effect.</summary>
    Finalized,

    /// <summary>PDI refused the finalize; a corrected one is welcome.</summary>
    FinalizeRefused,

    /// <summary>The request took back its intent to redeem: PDI could not be asked, and has not been.</summary>
    FinalizeWithdrawn,

    /// <summary>PDI refused a finalize whose session's time had run out meanwhile: there is no correcting it any more.</summary>
    RefusedAfterExpiry,

    /// <summary>PDI no longer knows its session, so nothing can be finalized on it.</summary>
    PdiSessionLost,

    /// <summary>The session's time ran out (brief: 24 h).</summary>
    Expired,

    /// <summary>An operator gave up on what PDI still owed the session.</summary>
    OperatorResolved,
}

/// <summary>The events as they are written in the database.</summary>
internal static class SessionEventText
{
    /// <summary>The first row of every timeline: not a transition, since there was no status before it.</summary>
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
