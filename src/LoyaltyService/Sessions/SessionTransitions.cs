namespace LoyaltyService.Sessions;

/// <summary>
/// The state machine: a pure table from (status, event) to the next status. It alone decides which events are allowed; the stores only compare the
/// version and status that a change was decided on, and their bulk changes take their lists of statuses from here.
/// </summary>
internal static class SessionTransitions
{
    /// <summary>The status that <paramref name="sessionEvent"/> leads to; null if it is not allowed.</summary>
    public static SessionStatus? Next(SessionStatus status, SessionEvent sessionEvent) => (status, sessionEvent) switch
    {
        (SessionStatus.Pending, SessionEvent.Identified) => SessionStatus.Active,
        (SessionStatus.Pending, SessionEvent.IdentifyRejected) => SessionStatus.Failed,
        // An estimate without a tier: PDI still has to identify the customer.
        (SessionStatus.Pending, SessionEvent.Calculated) => SessionStatus.Pending,
        (SessionStatus.Pending, SessionEvent.FinalizeRequested) => SessionStatus.Finalizing,
        (SessionStatus.Pending, SessionEvent.Expired) => SessionStatus.Failed,
        (SessionStatus.Pending, SessionEvent.OperatorResolved) => SessionStatus.Failed,

        (SessionStatus.Active, SessionEvent.Calculated) => SessionStatus.PendingFinalization,
        // A till that skips the quote gets the points PDI gives.
        (SessionStatus.Active, SessionEvent.FinalizeRequested) => SessionStatus.Finalizing,
        (SessionStatus.Active, SessionEvent.Expired) => SessionStatus.Failed,

        (SessionStatus.PendingFinalization, SessionEvent.Calculated) => SessionStatus.PendingFinalization,
        (SessionStatus.PendingFinalization, SessionEvent.FinalizeRequested) => SessionStatus.Finalizing,
        (SessionStatus.PendingFinalization, SessionEvent.Expired) => SessionStatus.Failed,

        // Finalize was requested before PDI identified the customer.
        (SessionStatus.Finalizing, SessionEvent.Identified) => SessionStatus.Finalizing,
        (SessionStatus.Finalizing, SessionEvent.IdentifyRejected) => SessionStatus.Failed,
        (SessionStatus.Finalizing, SessionEvent.Finalized) => SessionStatus.Finalized,
        (SessionStatus.Finalizing, SessionEvent.FinalizeRefused) => SessionStatus.PendingFinalization,
        // Points are redeemed only if PDI confirms: PDI was certainly not called, and will not be.
        (SessionStatus.Finalizing, SessionEvent.FinalizeWithdrawn) => SessionStatus.PendingFinalization,
        (SessionStatus.Finalizing, SessionEvent.RefusedAfterExpiry) => SessionStatus.Failed,
        (SessionStatus.Finalizing, SessionEvent.PdiSessionLost) => SessionStatus.Failed,
        // The only way out of finalizing without an answer from PDI, for an operator who has checked that PDI did not commit.
        (SessionStatus.Finalizing, SessionEvent.OperatorResolved) => SessionStatus.Failed,

        _ => null,
    };

    /// <summary>The statuses in which the event may happen.</summary>
    public static IEnumerable<SessionStatus> From(SessionEvent sessionEvent) =>
        Enum.GetValues<SessionStatus>().Where(status => Allows(status, sessionEvent));

    /// <summary>The statuses that no event leaves.</summary>
    public static IEnumerable<SessionStatus> Terminal { get; } =
        [.. Enum.GetValues<SessionStatus>().Where(static status => !Enum.GetValues<SessionEvent>().Any(next => Allows(status, next)))];

    public static bool Allows(SessionStatus status, SessionEvent sessionEvent) => Next(status, sessionEvent) is not null;

    /// <summary>As <see cref="Next"/>, for a caller that has checked already: a forbidden event is a defect of that caller.</summary>
    /// <exception cref="InvalidOperationException">The event may not happen in this status.</exception>
    public static SessionStatus Apply(SessionStatus status, SessionEvent sessionEvent) =>
        Next(status, sessionEvent)
        ?? throw new InvalidOperationException($"A session that is {status.ToText()} cannot be {sessionEvent.ToText()}.");
}
