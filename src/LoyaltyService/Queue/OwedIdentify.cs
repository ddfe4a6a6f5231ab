using System.Diagnostics;
using LoyaltyService.Configuration;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>PDI has not identified the session's customer yet.</summary>
internal sealed partial class OwedIdentify(ISessionStore sessions, PdiClient pdi, PdiOptions options, ILogger<OwedIdentify> logger) : IOwedKind
{
    public TimeSpan Budget => options.IdentifyBudget;

    public SessionEvent? AskedBy => null;

    public bool IsOwedBy(Session session) => session is { IsIdentified: false, Status: SessionStatus.Pending or SessionStatus.Finalizing };

    public async Task<Session> SettleAsync(Session session)
    {
        var result = await pdi.IdentifyAsync(session.ToPdiIdentify(), session.PdiIdentifyKey);
        Failpoint.Hit("worker.identify.answered");
        var change = Answered(session, result, Causes.Worker);
        // After the identify of a session that is being finalized, PDI is owed the finalize: the row stays.
        if (change.After.Status is not SessionStatus.Finalizing)
            change = change with { Work = PdiWorkChange.Settled };
        var saved = await sessions.SaveAsync(change, CancellationToken.None)
            ?? throw new PdiUnavailableException("The session was changed meanwhile.", mayHaveReached: true);
        if (result.Rejection is { } refused)
            Log.WaitingCustomerRejected(logger, SessionId.Format(session.Id), session.CustomerId, session.Status.ToText(), refused.Code);
        return saved;
    }

    /// <summary>PDI's session is stored together with its id; a session without one has no effect at PDI that an operator could lose.</summary>
    public Task<string?> FindEffectAsync(Session session) => Task.FromResult<string?>(null);

    /// <summary>What PDI's answer means for the session, for the request and the worker alike.</summary>
    public static SessionChange Answered(Session session, PdiResult<PdiIdentity> result, string cause) =>
        (result.Rejection is { } rejection ? session.IdentifyRejected(rejection, cause) : session.Identified(result.Value!, cause)) with
        {
            TraceId = Activity.Current?.TraceId.ToHexString(),
        };

    private static partial class Log
    {
        [LoggerMessage(EventName = "WaitingCustomerRejected", Level = LogLevel.Error, Message = "PDI rejected a customer whose sale had been taken: {sessionId} was {status}: {pdiCode}")]
        public static partial void WaitingCustomerRejected(ILogger logger, string sessionId, [CustomerIdentity] string customerId, string status, string pdiCode);
    }
}
