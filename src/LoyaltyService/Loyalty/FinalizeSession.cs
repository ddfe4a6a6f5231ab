using System.Diagnostics;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.RateLimits;
using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

/// <summary>Commits the sale's rewards to the customer's account.</summary>
/// <param name="SessionId">From identify.</param>
/// <param name="TransactionId">The transaction that the session was identified with.</param>
/// <param name="FinalAmount">0.00 to 999999.99, at most two decimals.</param>
/// <param name="ApplyRewards">False closes the session without earning or redeeming points.</param>
/// <param name="RedeemPoints">Points to redeem.</param>
/// <param name="Version">The session's version when the caller decided.</param>
internal sealed record FinalizeRequest(
    string? SessionId, string? TransactionId, [property: JsonConverter(typeof(AmountConverter))] decimal? FinalAmount, bool? ApplyRewards, long? RedeemPoints = null, int? Version = null)
    : IRequestBody<FinalizeRequest>, ICountsForCustomer
{
    public static JsonTypeInfo<FinalizeRequest> Json => LoyaltyJson.Wire.FinalizeRequest;

    string? ICountsForCustomer.CustomerKey() => SessionId;

    public void Validate(ICollection<FieldError> errors)
    {
        errors.CheckId("sessionId", SessionId);
        errors.CheckId("transactionId", TransactionId);
        errors.CheckAmount("finalAmount", FinalAmount);
        errors.CheckPoints("redeemPoints", RedeemPoints);
        errors.CheckVersion(Version);
        if (ApplyRewards is null)
            errors.Add(new FieldError("applyRewards", "is required."));
        else if (ApplyRewards is false && RedeemPoints > 0)
            errors.Add(new FieldError("redeemPoints", "must be 0 when applyRewards is false."));
    }

    /// <summary>Without the version: a repeat may carry a newer one.</summary>
    public Guid ToFingerprint()
    {
        var fingerprint = new Fingerprint("finalize");
        fingerprint.Add(SessionId);
        fingerprint.Add(TransactionId);
        fingerprint.Add(FinalAmount!.Value);
        fingerprint.Add(ApplyRewards!.Value);
        fingerprint.Add(RedeemPoints ?? 0);
        return fingerprint.ToGuid();
    }
}

/// <summary>The receipt. While PDI's answer is outstanding: only the first two members and the version.</summary>
/// <param name="SessionId">The session.</param>
/// <param name="Status"><c>finalized</c>, or <c>finalizing</c> while PDI's answer is outstanding.</param>
/// <param name="EarnedPoints">Points that PDI gave.</param>
/// <param name="NewBalance">The customer's balance afterwards.</param>
/// <param name="ReceiptId">PDI's receipt.</param>
/// <param name="RedeemedPoints">Redeemed points.</param>
/// <param name="Version">The session's version.</param>
internal sealed record FinalizeResponse(
    string SessionId, string Status, long? EarnedPoints, long? NewBalance, string? ReceiptId, long? RedeemedPoints, int Version);

/// <summary>
/// Finalize is an intent, then an effect. The intent is stored first, with its idempotency key at PDI. From then on the sale is accepted
/// and takes effect exactly once: this request continues if its caller disconnects, and the worker continues if this request dies.
/// </summary>
internal sealed class FinalizeSession(
    ISessionStore sessions,
    IPdiWorkStore work,
    IReplayCache replays,
    ConsecutiveFailureBreaker breaker,
    PdiWorkLimits workLimits,
    OwedFinalize finalizeAtPdi,
    RepeatLimits limits,
    ReplayMetrics metrics,
    TimeProvider clock)
{
    public async Task<Answer<FinalizeResponse>> RunAsync(
        FinalizeRequest request, string client, VersionCondition condition, Operation operation, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(request.SessionId, out var id))
            return SessionRejections.NotFound();

        var fingerprint = request.ToFingerprint();
        var key = new ReplayKey("finalize:" + client, id);
        // If the cached answer belongs to another body, the row decides.
        if (await replays.FindAsync(key) is { } replay && replay.Fingerprint == fingerprint)
        {
            metrics.RepeatAnswered(fromCache: true);
            return replay.ToAnswer<FinalizeResponse>();
        }

        var wait = new RepeatWait(limits, clock);
        while (await sessions.FindAsync(id, client, cancellationToken) is { } session)
        {
            operation.IsAbout(session);
            if (session.TransactionId != request.TransactionId)
                return new Rejection(LoyaltyErrors.TransactionMismatch, "The session belongs to another transaction.") { SessionId = request.SessionId };
            if (session.Status is SessionStatus.Finalized)
            {
                if (session.Intent!.Fingerprint != fingerprint)
                    return IdempotencyRejections.KeyReused("The finalize of this session");
                // Finalized before this call read the row: the cache missed it.
                if (!wait.HasWaited)
                    metrics.RepeatAnswered(fromCache: false);
                return Receipt(session, key).AsReplay();
            }

            if (session.Status is SessionStatus.Finalizing)
            {
                if (session.Intent!.Fingerprint != fingerprint)
                    return SessionRejections.InProgress(session, "The session is being finalized with another body.");
                if (!await wait.NextAsync(cancellationToken))
                    return Accepted(session);
                continue;
            }

            if (Refuse(session, request, condition) is { } refusal)
                return refusal;
            // While PDI is unavailable the sale is queued, if there is room.
            var mustWait = MustWait(session);
            if (mustWait && !await work.HasRoomAsync(id, workLimits.MaxItems, cancellationToken))
                return QueueRejections.Full();

            var intent = new FinalizeIntent(
                fingerprint, Guid.NewGuid(), request.FinalAmount!.Value, request.ApplyRewards!.Value, request.RedeemPoints ?? 0);
            var change = session.FinalizeRequested(intent, Causes.Request) with
            {
                TraceId = Activity.Current?.TraceId.ToHexString(),
                WorkLease = mustWait ? TimeSpan.Zero : workLimits.OwnedByRequest,
            };
            // Null: another call was first. Its row decides.
            if (await sessions.SaveAsync(change, cancellationToken) is { } finalizing)
                return await TakeEffectAsync(finalizing, key, operation, mustWait);
        }

        return SessionRejections.NotFound();
    }

    private bool MustWait(Session session) => !session.IsIdentified || breaker.Wait > TimeSpan.Zero;

    private Rejection? Refuse(Session session, FinalizeRequest request, VersionCondition condition)
    {
        if (condition.Check(session) is { } conflict)
            return conflict;
        if (session.IsExpired || !SessionTransitions.Allows(session.Status, SessionEvent.FinalizeRequested))
            return SessionRejections.InvalidState(session, "finalized");
        return request.RedeemPoints > 0 && MustWait(session) ? NotRedeemed() : null;
    }

    private static Rejection NotRedeemed() => SessionRejections.PdiUnavailable("Points can be redeemed only if PDI confirms.");

    private async Task<Answer<FinalizeResponse>> TakeEffectAsync(Session session, ReplayKey key, Operation operation, bool mustWait)
    {
        Failpoint.Hit("finalize.intended");
        // PDI must identify the customer first, or is unavailable: the worker finalizes.
        if (mustWait)
            return Accepted(session);

        try
        {
            var (settled, rejection, _) = await finalizeAtPdi.RunAsync(session, Causes.Request, inDoubt: false);
            operation.IsAbout(settled);
            operation.Reason = rejection?.Code;
            if (rejection is not null)
                return SessionRejections.ByPdi(rejection, session);
            return settled.Status is SessionStatus.Finalized ? Receipt(settled, key) : Accepted(settled);
        }
        catch (PdiUnavailableException outage) when (session.Intent is { RedeemPoints: > 0 } && !outage.MayHaveReached)
        {
            operation.Reason = outage.Message;
            return await WithdrawAsync(session, operation);
        }
        catch (LoyaltyException outstanding) when (outstanding is PdiUnavailableException or PdiAuthenticationException)
        {
            // The intent is stored and the worker will finalize it: 202.
            operation.Reason = outstanding.Message;
            return Accepted(session);
        }
    }

    /// <summary>Withdraws the intent. If the worker has already taken it over, the sale stays accepted.</summary>
    private async Task<Answer<FinalizeResponse>> WithdrawAsync(Session session, Operation operation)
    {
        var change = session.FinalizeWithdrawn(Causes.Request) with { TraceId = Activity.Current?.TraceId.ToHexString() };
        if (await sessions.SaveAsync(change, CancellationToken.None) is not { } withdrawn)
            return Accepted(session);
        operation.IsAbout(withdrawn);
        return NotRedeemed();
    }

    private Answer<FinalizeResponse> Receipt(Session session, ReplayKey key)
    {
        var answer = Answer<FinalizeResponse>.Of(
            StatusCodes.Status200OK,
            new FinalizeResponse(
                SessionId.Format(session.Id), session.Status.ToText(), session.EarnedPoints, session.NewBalance, session.ReceiptId,
                session.RedeemedPoints, session.Version),
            LoyaltyJson.Wire.FinalizeResponse);
        replays.Remember(key, new Replay(session.Intent!.Fingerprint, answer.Status, session.Version, answer.Body));
        return answer.WithVersion(session.Version);
    }

    private static Answer<FinalizeResponse> Accepted(Session session) => Answer<FinalizeResponse>
        .Accepted(
            new FinalizeResponse(
                SessionId.Format(session.Id), SessionStatus.Finalizing.ToText(), null, null, null, null, session.Version),
            LoyaltyJson.Wire.FinalizeResponse,
            SessionId.Location(session.Id))
        .WithVersion(session.Version);
}
