using System.Diagnostics;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

/// <summary>
/// The effect of a stored intent: tell PDI, store what it says. Safe to run again at any time and from anywhere, since PDI knows the
/// intent by its key and the session's version lets only one of two answers in.
/// </summary>
internal sealed class FinalizeAtPdi(ISessionStore sessions, PdiClient pdi, LoyaltyMetrics metrics)
{
    /// <param name="session">The session, with its intent.</param>
    /// <param name="cause">Who is at it: one of <see cref="Causes"/>.</param>
    /// <param name="inDoubt">PDI may have been told already.</param>
    /// <returns>The session as it stands afterwards, and PDI's refusal if it refused.</returns>
    /// <exception cref="PdiUnavailableException">PDI gave no clean answer; the intent stays.</exception>
    /// <exception cref="PdiAuthenticationException">PDI refuses the service; the intent stays.</exception>
    public async Task<(Session Session, PdiRejection? Rejection)> RunAsync(Session session, string cause, bool inDoubt)
    {
        var intent = session.Intent ?? throw new InvalidOperationException("A session without an intent cannot be finalized.");
        var request = new PdiFinalizeRequest(
            session.PdiSessionId!, session.TransactionId, intent.FinalAmount,
            intent.ApplyRewards ? session.EarnedPoints : 0, intent.RedeemPoints, intent.ApplyRewards);
        var result = await pdi.FinalizeAsync(request, intent.PdiKey.ToString("N"), inDoubt);

        Failpoint.Hit($"{cause}.finalize.answered");
        return result.Rejection switch
        {
            null => (await SaveAsync(session.Finalized(result.Value!, cause)), null),
            { IsSessionGone: true } gone => (await SaveAsync(session.PdiSessionLost(gone, cause)), gone),
            var tooLate when session.IsExpired => (await SaveAsync(session.RefusedAfterExpiry(tooLate, cause)), tooLate),
            var rejection => (await SaveAsync(session.FinalizeRefused(rejection, cause)), rejection),
        };
    }

    private async Task<Session> SaveAsync(SessionChange change)
    {
        change = change with { TraceId = Activity.Current?.TraceId.ToHexString() };
        if (await sessions.SaveAsync(change, CancellationToken.None) is not { } saved)
        {
            // Somebody else has stored PDI's answer already; to one key PDI gives one answer.
            return await sessions.FindAsync(change.Before.Id, CancellationToken.None)
                ?? throw new InvalidDataException("A session that was there is gone.");
        }

        Failpoint.Hit($"{change.Cause}.finalize.stored");
        if (saved.Status is SessionStatus.Finalized)
            metrics.SessionFinalized(saved.EarnedPoints, saved.RedeemedPoints);
        if (change.IsEstimateCorrected)
            metrics.EstimateDiffered();
        return saved;
    }
}
