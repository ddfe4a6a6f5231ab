using System.Diagnostics;
using LoyaltyService.Configuration;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>
/// The effect of a stored intent: tell PDI, store what it says. Safe to run again at any time and from anywhere, since PDI knows the
/// intent by its key and the session's version lets only one of two answers in.
/// </summary>
internal sealed class FinalizeAtPdi(ISessionStore sessions, PdiClient pdi, SessionMetrics metrics)
{
    /// <param name="session">The session, with its intent.</param>
    /// <param name="cause">Who is at it: one of <see cref="Causes"/>.</param>
    /// <param name="inDoubt">PDI may have been told already.</param>
    /// <returns>The session as it stands afterwards, PDI's refusal if it refused, and whether this call is the one that stored the answer.</returns>
    /// <exception cref="PdiUnavailableException">PDI gave no clean answer; the intent stays.</exception>
    /// <exception cref="PdiAuthenticationException">PDI refuses the service; the intent stays.</exception>
    public async Task<(Session Session, PdiRejection? Rejection, bool IsFirst)> RunAsync(Session session, string cause, bool inDoubt)
    {
        var intent = session.Intent ?? throw new InvalidOperationException("A session without an intent cannot be finalized.");
        var request = new PdiFinalizeRequest(
            session.PdiSessionId!, session.TransactionId, intent.FinalAmount,
            intent.ApplyRewards ? session.EarnedPoints : 0, intent.RedeemPoints, intent.ApplyRewards);
        var result = await pdi.FinalizeAsync(request, intent.PdiKey.ToString("N"), inDoubt);

        Failpoint.Hit($"{cause}.finalize.answered");
        var change = result.Rejection switch
        {
            null => session.Finalized(result.Value!, cause),
            { IsSessionGone: true } gone => session.PdiSessionLost(gone, cause),
            var tooLate when session.IsExpired => session.RefusedAfterExpiry(tooLate, cause),
            var rejection => session.FinalizeRefused(rejection, cause),
        };
        if (await TrySaveAsync(change) is { } saved)
            return (saved, result.Rejection, IsFirst: true);

        // Somebody else has stored PDI's answer already; to one key PDI gives one answer.
        var stored = await sessions.FindAsync(session.Id, CancellationToken.None) ?? throw new InvalidDataException("A session that was there is gone.");
        return (stored, result.Rejection, IsFirst: false);
    }

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
}
