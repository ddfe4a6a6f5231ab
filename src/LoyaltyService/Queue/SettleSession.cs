using System.Diagnostics;
using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>
/// Drives a session that waits for PDI forward: identify it if it is not identified, then finalize it if that was asked for. What PDI has done
/// already it is asked first, and the rest is sent again under the same key.
/// </summary>
internal sealed partial class SettleSession(ISessionStore sessions, PdiClient pdi, FinalizeAtPdi finalizeAtPdi, ILogger<SettleSession> logger)
{
    /// <param name="step">The worker's step, which is linked to the request that caused it.</param>
    /// <exception cref="PdiUnavailableException">PDI gave no clean answer; the session still waits.</exception>
    /// <exception cref="PdiAuthenticationException">PDI refuses the service; the session still waits.</exception>
    public async Task RunAsync(Guid sessionId, Activity step)
    {
        if (await sessions.FindAsync(sessionId, CancellationToken.None) is not { } session)
            return;
        step.LinkTo(step.IsAllDataRequested ? await TraceOfCauseAsync(session) : null, SessionId.Format(session.Id));
        if (session is { IsIdentified: false, Status: SessionStatus.Pending or SessionStatus.Finalizing })
            session = await IdentifyAsync(session);
        if (session.Status is SessionStatus.Finalizing)
            await FinalizeAsync(session);
    }

    /// <summary>The trace of the request that the session waits for: of the finalize, where there was one.</summary>
    private async Task<string?> TraceOfCauseAsync(Session session) => session.Status is SessionStatus.Finalizing
        ? (await sessions.EventsAsync(session.Id, CancellationToken.None)).Last(line => line.Event == SessionEvent.FinalizeRequested.ToText()).TraceId
        : session.TraceId;

    private async Task<Session> IdentifyAsync(Session session)
    {
        var result = await pdi.IdentifyAsync(session.ToPdiIdentify(), session.PdiIdentifyKey);
        Failpoint.Hit("worker.identify.answered");
        var change = result.Rejection is { } rejection
            ? session.IdentifyRejected(rejection, Causes.Worker)
            : session.Identified(result.Value!, Causes.Worker);
        change = change with { TraceId = Activity.Current?.TraceId.ToHexString() };
        if (change.After.Status is not SessionStatus.Finalizing)
            change = change with { Work = PdiWorkChange.Settled };
        var saved = await sessions.SaveAsync(change, CancellationToken.None)
            ?? throw new PdiUnavailableException("The session was changed meanwhile.", mayHaveReached: true);
        if (result.Rejection is { } refused)
            Log.WaitingCustomerRejected(logger, SessionId.Format(session.Id), session.CustomerId, session.Status.ToText(), refused.Code);
        return saved;
    }

    private async Task FinalizeAsync(Session session)
    {
        var (settled, rejection, isFirst) = await finalizeAtPdi.RunAsync(session, Causes.Worker, inDoubt: true);
        // Two may be at one session: a finalize makes its row due anew while the worker is still at the identify.
        if (!isFirst)
            return;
        if (rejection is not null)
            Log.WaitingSaleRejected(logger, SessionId.Format(session.Id), session.CustomerId, rejection.Code);
        else if (settled.Status is SessionStatus.Finalized)
            Log.WaitingSaleFinalized(logger, SessionId.Format(session.Id), session.CustomerId, settled.EarnedPoints, settled.RedeemedPoints);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "WaitingSaleFinalized", Level = LogLevel.Information, Message = "A sale that waited for PDI is finalized: {sessionId} {earnedPoints} {redeemedPoints}")]
        public static partial void WaitingSaleFinalized(ILogger logger, string sessionId, [CustomerIdentity] string customerId, long earnedPoints, long redeemedPoints);

        [LoggerMessage(EventName = "WaitingSaleRejected", Level = LogLevel.Error, Message = "PDI rejected a sale that had been taken: {sessionId}: {pdiCode}")]
        public static partial void WaitingSaleRejected(ILogger logger, string sessionId, [CustomerIdentity] string customerId, string pdiCode);

        [LoggerMessage(EventName = "WaitingCustomerRejected", Level = LogLevel.Error, Message = "PDI rejected a customer whose sale had been taken: {sessionId} was {status}: {pdiCode}")]
        public static partial void WaitingCustomerRejected(ILogger logger, string sessionId, [CustomerIdentity] string customerId, string status, string pdiCode);
    }
}
