using System.Diagnostics;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>Makes the calls that a session owes PDI, in order. One that an earlier attempt may have made already is not made twice.</summary>
internal sealed class SettleSession(ISessionStore sessions, IEnumerable<IOwedKind> kinds)
{
    /// <param name="sessionId">The session.</param>
    /// <param name="step">The worker's span, which gets a link to the request that caused it.</param>
    /// <exception cref="PdiUnavailableException">PDI gave no clean answer; the session still waits.</exception>
    /// <exception cref="PdiAuthenticationException">PDI rejected the service's credentials; the session still waits.</exception>
    public async Task RunAsync(Guid sessionId, Activity step)
    {
        if (await sessions.FindAsync(sessionId, CancellationToken.None) is not { } session)
            return;
        step.LinkTo(step.IsAllDataRequested ? await TraceOfCauseAsync(session) : null, SessionId.Format(session.Id));
        foreach (var kind in kinds)
        {
            if (kind.IsOwedBy(session))
                session = await kind.SettleAsync(session);
        }
    }

    /// <summary>The trace of the last request that the session waits for.</summary>
    private async Task<string?> TraceOfCauseAsync(Session session) => kinds.LastOrDefault(kind => kind.IsOwedBy(session))?.AskedBy is { } askedBy
        ? (await sessions.EventsAsync(session.Id, CancellationToken.None)).Last(line => line.Event == askedBy.ToText()).TraceId
        : session.TraceId;
}
