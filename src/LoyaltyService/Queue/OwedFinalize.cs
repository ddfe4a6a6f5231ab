using System.Diagnostics;
using LoyaltyService.Configuration;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>
/// PDI has not answered the session's finalize intent yet. The request that stored the intent and the worker both call PDI here. PDI
/// recognizes the intent by its key, and the session's version lets only one of two answers in.
/// </summary>
internal sealed partial class OwedFinalize(
    ISessionStore sessions, PdiClient pdi, PdiOptions options, SessionMetrics metrics, ILogger<OwedFinalize> logger) : IOwedKind
{
    public TimeSpan Budget => options.FinalizeBudget;

    public SessionEvent? AskedBy => SessionEvent.FinalizeRequested;

    public bool IsOwedBy(Session session) => session.Status is SessionStatus.Finalizing;

    public async Task<Session> SettleAsync(Session session)
    {
        var (settled, rejection, isFirst) = await RunAsync(session, Causes.Worker, inDoubt: true);
        // A finalize makes its row due while the worker is still at the identify, so two may work on one session.
        if (isFirst && rejection is not null)
            Log.WaitingSaleRejected(logger, SessionId.Format(session.Id), session.CustomerId, rejection.Code);
        else if (isFirst && settled.Status is SessionStatus.Finalized)
            Log.WaitingSaleFinalized(logger, SessionId.Format(session.Id), session.CustomerId, settled.EarnedPoints, settled.RedeemedPoints);
        return settled;
    }

    /// <summary>By PDI's own record: a session that PDI never opened, does not know or has voided is not finalized.</summary>
    public async Task<string?> FindEffectAsync(Session session) =>
        session.PdiSessionId is { } pdiSessionId && (await pdi.GetSessionStatusAsync(pdiSessionId)).Value is { IsFinalized: true }
            ? "PDI has finalized this sale; replay the item instead, and the session gets PDI's receipt."
            : null;

    /// <param name="session">The session, with its intent.</param>
    /// <param name="cause">Who makes the call: one of <see cref="Causes"/>.</param>
    /// <param name="inDoubt">An earlier call may have reached PDI.</param>
    /// <returns>The session as stored afterwards, PDI's rejection if there is one, and whether this call stored the answer.</returns>
    /// <exception cref="PdiUnavailableException">PDI gave no clean answer; the intent stays.</exception>
    /// <exception cref="PdiAuthenticationException">PDI rejected the service's credentials; the intent stays.</exception>
    public async Task<(Session Session, PdiRejection? Rejection, bool IsFirst)> RunAsync(Session session, string cause, bool inDoubt)
    {
        var intent = session.Intent ?? throw new InvalidOperationException("A session without an intent cannot be finalized.");
        var request = new PdiFinalizeRequest(
            session.PdiSessionId!, session.TransactionId, intent.FinalAmount,
            intent.ApplyRewards ? session.EarnedPoints : 0, intent.RedeemPoints, intent.ApplyRewards);
        var result = await pdi.FinalizeAsync(request, intent.PdiKey.ToString("N"), inDoubt);

        Failpoint.Hit($"{cause}.finalize.answered");
        if (await TrySaveAsync(Answered(session, result, cause)) is { } saved)
            return (saved, result.Rejection, IsFirst: true);

        // Another call stored PDI's answer first. PDI gives one answer to one key.
        var stored = await sessions.FindAsync(session.Id, CancellationToken.None) ?? throw new InvalidDataException("A session that was there is gone.");
        return (stored, result.Rejection, IsFirst: false);
    }

    /// <summary>What PDI's answer means for the session: yes, session lost, no after the session's time, no.</summary>
    private static SessionChange Answered(Session session, PdiResult<PdiReceipt> result, string cause) => result.Rejection switch
    {
        null => session.Finalized(result.Value!, cause),
        { IsSessionGone: true } gone => session.PdiSessionLost(gone, cause),
        var tooLate when session.IsExpired => session.RefusedAfterExpiry(tooLate, cause),
        var rejection => session.FinalizeRefused(rejection, cause),
    };

    private async Task<Session?> TrySaveAsync(SessionChange change)
    {
        change = change with { TraceId = Activity.Current?.TraceId.ToHexString() };
        if (await sessions.SaveAsync(change, CancellationToken.None) is not { } saved)
            return null;

        Failpoint.Hit($"{change.Cause}.finalize.stored");
        if (saved.Status is SessionStatus.Finalized)
            metrics.SessionFinalized(saved.EarnedPoints, saved.RedeemedPoints);
        if (change.IsEstimateCorrected)
            metrics.EstimateDiffered();
        return saved;
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "WaitingSaleFinalized", Level = LogLevel.Information, Message = "A sale that waited for PDI is finalized: {sessionId} {earnedPoints} {redeemedPoints}")]
        public static partial void WaitingSaleFinalized(ILogger logger, string sessionId, [CustomerIdentity] string customerId, long earnedPoints, long redeemedPoints);

        [LoggerMessage(EventName = "WaitingSaleRejected", Level = LogLevel.Error, Message = "PDI rejected a sale that had been taken: {sessionId}: {pdiCode}")]
        public static partial void WaitingSaleRejected(ILogger logger, string sessionId, [CustomerIdentity] string customerId, string pdiCode);
    }
}
