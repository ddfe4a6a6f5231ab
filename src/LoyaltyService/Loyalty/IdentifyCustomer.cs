using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;
using LoyaltyService.Queue;
using LoyaltyService.RateLimits;
using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

/// <summary>Starts the loyalty session of a sale.</summary>
/// <param name="CustomerId">PDI's id of the customer.</param>
/// <param name="ChannelId">The till or ordering channel.</param>
/// <param name="TransactionId">The sale, unique within its channel.</param>
/// <param name="StoreId">The store, if the channel has several.</param>
/// <param name="Metadata">The caller's own data: an object of at most 4 KiB. The service stores it and never reads it.</param>
internal sealed record IdentifyRequest(
    [property: CustomerIdentity] string? CustomerId, string? ChannelId, string? TransactionId, string? StoreId = null, [property: Personal] JsonElement? Metadata = null) : RedactedRecord, IRequestBody<IdentifyRequest>, ICountsForCustomer
{
    public static JsonTypeInfo<IdentifyRequest> Json => LoyaltyJson.Wire.IdentifyRequest;

    string? ICountsForCustomer.CustomerKey() => CustomerId;

    /// <summary>The metadata in the form that is compared and stored.</summary>
    [Personal]
    internal string? CanonicalMetadata { get; private set; }

    public void Validate(ICollection<FieldError> errors)
    {
        errors.CheckId("customerId", CustomerId);
        errors.CheckId("channelId", ChannelId);
        errors.CheckId("transactionId", TransactionId);
        errors.CheckOptionalId("storeId", StoreId);
        if (Metadata is not { ValueKind: not JsonValueKind.Null } metadata)
            return;
        CanonicalMetadata = metadata.ValueKind is JsonValueKind.Object ? Loyalty.Metadata.Canonical(metadata) : null;
        if (metadata.ValueKind is not JsonValueKind.Object)
            errors.Add(new FieldError("metadata", "must be an object."));
        else if (CanonicalMetadata is null)
            errors.Add(new FieldError("metadata", "must be valid Unicode without NUL characters."));
        else if (System.Text.Encoding.UTF8.GetByteCount(CanonicalMetadata) > Loyalty.Metadata.MaxBytes)
            errors.Add(new FieldError("metadata", "must be at most 4 KiB."));
    }

    public Guid ToFingerprint()
    {
        var fingerprint = new Fingerprint("identify");
        fingerprint.Add(CustomerId);
        fingerprint.Add(ChannelId);
        fingerprint.Add(TransactionId);
        fingerprint.Add(StoreId);
        fingerprint.Add(CanonicalMetadata);
        return fingerprint.ToGuid();
    }
}

/// <summary>The session, and the customer once PDI has identified them. Until then the customer's members are absent.</summary>
/// <param name="SessionId">Send it in the following calls.</param>
/// <param name="Status"><c>active</c>, or <c>pending</c> while PDI is unavailable.</param>
/// <param name="CustomerName">The customer's name.</param>
/// <param name="CurrentPoints">The customer's balance.</param>
/// <param name="Tier">The customer's tier.</param>
/// <param name="Version">The session's version.</param>
/// <param name="ExpiresAt">When the session ends if it is not finalized.</param>
internal sealed record IdentifyResponse(
    string SessionId, string Status, [property: Personal] string? CustomerName, long? CurrentPoints, string? Tier, int Version, DateTimeOffset ExpiresAt) : RedactedRecord;

/// <summary>
/// Identify: create the session (the database decides which call was first), call PDI, store the answer. A repeat gets the stored answer. If
/// the session waits for PDI and no call works on it, the repeat calls PDI again.
/// </summary>
internal sealed class IdentifyCustomer(
    ISessionStore sessions,
    IPdiWorkStore work,
    IReplayCache replays,
    PdiClient pdi,
    ConsecutiveFailureBreaker breaker,
    PdiWorkLimits workLimits,
    SessionLimits limits,
    RepeatLimits repeats,
    SessionMetrics metrics,
    ReplayMetrics replayMetrics,
    TimeProvider clock)
{
    public async Task<Answer<IdentifyResponse>> RunAsync(
        IdentifyRequest request, string client, Operation operation, CancellationToken cancellationToken)
    {
        var fingerprint = request.ToFingerprint();
        var key = new ReplayKey("identify", Fingerprint.OfSale(client, request.ChannelId!, request.TransactionId!));
        if (await replays.FindAsync(key) is { } replay)
        {
            if (replay.Fingerprint != fingerprint)
                return KeyReused(request);
            replayMetrics.RepeatAnswered(fromCache: true);
            return replay.ToAnswer<IdentifyResponse>();
        }

        var given = NewSession(request, client, key.Id, fingerprint);
        // While the breaker is open, a new session is stored as waiting at once: one commit instead of two.
        var waits = breaker.Wait > TimeSpan.Zero && await work.HasRoomAsync(given.Id, workLimits.MaxItems, cancellationToken);
        var (session, created) = await sessions.CreateAsync(given, limits.Lifetime, waits ? null : limits.IdentifyHold, cancellationToken);
        if (session.IdentifyFingerprint != fingerprint)
            return KeyReused(request);
        operation.IsAbout(session);
        if (created)
            metrics.SessionCreated();

        Failpoint.Hit("identify.created");

        // The session exists from here on. It reaches a clear status even if the caller disconnects.
        if (created && waits)
        {
            operation.Reason = ConsecutiveFailureBreaker.Refusal;
            return Pending(session);
        }

        if (created)
            return await AskPdiAsync(session, key, operation, isWaiting: false);
        // Settled before this call read the row: the cache missed it.
        if (Settled(session, key) is { } answer)
        {
            replayMetrics.RepeatAnswered(fromCache: false);
            return answer.AsReplay();
        }

        return await RepeatAsync(session, key, operation, cancellationToken);
    }

    /// <summary>Answers a sale that already has a session: from its row, after a short wait if a call is in flight.</summary>
    private async Task<Answer<IdentifyResponse>> RepeatAsync(Session session, ReplayKey key, Operation operation, CancellationToken cancellationToken)
    {
        var wait = new RepeatWait(repeats, clock);
        while (true)
        {
            if (Settled(session, key) is { } answer)
                return answer.AsReplay();
            if (session is { Status: SessionStatus.Failed } or { Status: SessionStatus.Pending, IsExpired: true })
                return SessionRejections.InvalidState(session, "identified");
            if (session.Status is SessionStatus.Finalizing)
                return Pending(session);
            if (!session.IsBusy && await sessions.TryClaimAsync(session, limits.IdentifyHold, cancellationToken))
                return await AskPdiAsync(session, key, operation, isWaiting: true);
            if (!await wait.NextAsync(cancellationToken))
                return SessionRejections.InProgress(session, "The customer is being identified by an earlier call.");

            session = await sessions.FindAsync(session.Id, cancellationToken)
                ?? throw new InvalidDataException("A session that was there is gone.");
        }
    }

    /// <param name="isWaiting">The session may have a queue row, which PDI's answer removes.</param>
    private async Task<Answer<IdentifyResponse>> AskPdiAsync(Session session, ReplayKey key, Operation operation, bool isWaiting)
    {
        try
        {
            var result = await pdi.IdentifyAsync(session.ToPdiIdentify(), session.PdiIdentifyKey);
            Failpoint.Hit("identify.answered");
            return await StoreAsync(session, result, key, operation, isWaiting);
        }
        catch (PdiUnavailableException outstanding)
        {
            operation.Reason = outstanding.Message;
            return await work.TryAddAsync(session, workLimits.MaxItems, CancellationToken.None)
                ? Pending(session)
                : QueueRejections.Full();
        }
        catch (PdiAuthenticationException)
        {
            await sessions.ReleaseAsync(session, CancellationToken.None);
            throw;
        }
    }

    private async Task<Answer<IdentifyResponse>> StoreAsync(
        Session session, PdiResult<PdiIdentity> result, ReplayKey key, Operation operation, bool isWaiting)
    {
        var change = OwedIdentify.Answered(session, result, Causes.Request) with { Work = isWaiting ? PdiWorkChange.Settled : PdiWorkChange.None };

        var stored = await sessions.SaveAsync(change, CancellationToken.None)
            // Another call changed the session first: its row has the answer.
            ?? await sessions.FindAsync(session.Id, CancellationToken.None)
            ?? throw new InvalidDataException("A session that was there is gone.");
        Failpoint.Hit("identify.stored");
        operation.Reason = stored.Failure?.Code;
        return Settled(stored, key) ?? Pending(stored);
    }

    /// <summary>PDI's answer for the session, the same for every repeat; null while there is none.</summary>
    private Answer<IdentifyResponse>? Settled(Session session, ReplayKey key)
    {
        Answer<IdentifyResponse> answer;
        if (session.IdentifiedVersion is { } version)
        {
            answer = Answer<IdentifyResponse>.Of(
                StatusCodes.Status200OK,
                new IdentifyResponse(
                    SessionId.Format(session.Id), SessionStatus.Active.ToText(), session.CustomerName, session.CurrentPoints, session.Tier,
                    version, session.ExpiresAt),
                LoyaltyJson.Wire.IdentifyResponse);
        }
        else if (session.Failure is { Reason: SessionFailure.RejectedByPdi, Code: { } code, Message: { } message })
        {
            answer = SessionRejections.ByPdi(new PdiRejection(code, message), session) with { TraceId = session.TraceId };
        }
        else
        {
            return null;
        }

        replays.Remember(key, new Replay(session.IdentifyFingerprint, answer.Status, session.IdentifiedVersion ?? 0, answer.Body));
        return answer.WithVersion(session.IdentifiedVersion);
    }

    private static Answer<IdentifyResponse> Pending(Session session) => Answer<IdentifyResponse>.Accepted(
        new IdentifyResponse(
            SessionId.Format(session.Id), SessionStatus.Pending.ToText(), null, null, null, session.Version, session.ExpiresAt),
        LoyaltyJson.Wire.IdentifyResponse,
        SessionId.Location(session.Id));

    private static Rejection KeyReused(IdentifyRequest request) =>
        IdempotencyRejections.KeyReused($"The transaction {request.TransactionId} of channel {request.ChannelId}");

    private static Session NewSession(IdentifyRequest request, string client, Guid saleKey, Guid fingerprint) => new()
    {
        Id = SessionId.New(),
        SaleKey = saleKey,
        Client = client,
        ChannelId = request.ChannelId!,
        TransactionId = request.TransactionId!,
        StoreId = request.StoreId,
        CustomerId = request.CustomerId!,
        Metadata = request.CanonicalMetadata,
        IdentifyFingerprint = fingerprint,
        TraceId = CurrentTraceId(),
    };

    private static string? CurrentTraceId() => Activity.Current?.TraceId.ToHexString();
}
