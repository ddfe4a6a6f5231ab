namespace LoyaltyService.Sessions;

/// <summary>
/// The state machine: a pure table from (status, event) to the next status. It decides alone what may happen to a session;
/// the stores only compare the version and the status that it was decided on, so no other place can allow more.
/// </summary>
internal static class SessionTransitions
{
    /// <summary>The status that <paramref name="sessionEvent"/> leads to, or null where it may not happen.</summary>
    public static SessionStatus? Next(SessionStatus status, SessionEvent sessionEvent) => (status, sessionEvent) switch
    {
        (SessionStatus.Pending, SessionEvent.Identified) => SessionStatus.Active,
        (SessionStatus.Pending, SessionEvent.IdentifyRejected) => SessionStatus.Failed,
        // An estimate without a tier: the session still waits for PDI to say who the customer is.
        (SessionStatus.Pending, SessionEvent.Calculated) => SessionStatus.Pending,
        (SessionStatus.Pending, SessionEvent.FinalizeRequested) => SessionStatus.Finalizing,
        (SessionStatus.Pending, SessionEvent.Expired) => SessionStatus.Failed,
        (SessionStatus.Pending, SessionEvent.OperatorResolved) => SessionStatus.Failed,

        (SessionStatus.Active, SessionEvent.Calculated) => SessionStatus.PendingFinalization,
        // A till that skips the quote gets the rewards that PDI gives.
        (SessionStatus.Active, SessionEvent.FinalizeRequested) => SessionStatus.Finalizing,
        (SessionStatus.Active, SessionEvent.Expired) => SessionStatus.Failed,

        (SessionStatus.PendingFinalization, SessionEvent.Calculated) => SessionStatus.PendingFinalization,
        (SessionStatus.PendingFinalization, SessionEvent.FinalizeRequested) => SessionStatus.Finalizing,
        (SessionStatus.PendingFinalization, SessionEvent.Expired) => SessionStatus.Failed,

        // Finalize was asked for before PDI had identified the customer: first things first.
        (SessionStatus.Finalizing, SessionEvent.Identified) => SessionStatus.Finalizing,
        (SessionStatus.Finalizing, SessionEvent.IdentifyRejected) => SessionStatus.Failed,
        (SessionStatus.Finalizing, SessionEvent.Finalized) => SessionStatus.Finalized,
        (SessionStatus.Finalizing, SessionEvent.FinalizeRefused) => SessionStatus.PendingFinalization,
        // Points are redeemed only with PDI's yes: what it was certainly not asked is not asked later either.
        (SessionStatus.Finalizing, SessionEvent.FinalizeWithdrawn) => SessionStatus.PendingFinalization,
        (SessionStatus.Finalizing, SessionEvent.RefusedAfterExpiry) => SessionStatus.Failed,
        (SessionStatus.Finalizing, SessionEvent.PdiSessionLost) => SessionStatus.Failed,
        // The only way out of finalizing without a word of PDI, and only for an operator who has made sure that PDI did not commit.
        (SessionStatus.Finalizing, SessionEvent.OperatorResolved) => SessionStatus.Failed,

        _ => null,
    };

    public static bool Allows(SessionStatus status, SessionEvent sessionEvent) => Next(status, sessionEvent) is not null;

    /// <summary>As <see cref="Next"/>, for a caller that has checked already: a forbidden event is a defect of that caller.</summary>
    /// <exception cref="InvalidOperationException">The event may not happen in this status.</exception>
    public static SessionStatus Apply(SessionStatus status, SessionEvent sessionEvent) =>
        Next(status, sessionEvent)
        ?? throw new InvalidOperationException($"A session that is {status.ToText()} cannot be {sessionEvent.ToText()}.");
}
