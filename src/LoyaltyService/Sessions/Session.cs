using LoyaltyService.Pdi;
using LoyaltyService.Privacy;
using NpgsqlTypes;

namespace LoyaltyService.Sessions;

/// <summary>
/// One loyalty transaction, from identification to finalization: a row of <c>sessions</c>, as an immutable value.
/// Each method that changes it returns a <see cref="SessionChange"/>, which a store applies only if the row still has the version
/// and status that the change was decided on.
/// </summary>
internal sealed record Session : RedactedRecord
{
    public required Guid Id { get; init; }

    /// <summary>Hash of client, channel and transaction; unique, so that a sale has one session.</summary>
    public required Guid SaleKey { get; init; }

    public required string Client { get; init; }

    public required string ChannelId { get; init; }

    public required string TransactionId { get; init; }

    public string? StoreId { get; init; }

    [CustomerIdentity]
    public required string CustomerId { get; init; }

    /// <summary>The caller's metadata, as compact JSON.</summary>
    [Personal]
    public string? Metadata { get; init; }

    /// <summary>Fingerprint of the identify request that created the session.</summary>
    public required Guid IdentifyFingerprint { get; init; }

    /// <summary>The trace of the request that created the session.</summary>
    public string? TraceId { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public SessionStatus Status { get; init; }

    /// <summary>1 when created; one more with each change.</summary>
    public int Version { get; init; } = 1;

    public string? PdiSessionId { get; init; }

    [Personal]
    public string? CustomerName { get; init; }

    /// <summary>The customer's balance when PDI identified them.</summary>
    public long CurrentPoints { get; init; }

    public string? Tier { get; init; }

    /// <summary>The version that identification led to: identify's first answer carries it, and so does every repeat.</summary>
    public int? IdentifiedVersion { get; init; }

    /// <summary>Points of the last calculation; after finalize, those that PDI gave.</summary>
    public long EarnedPoints { get; init; }

    /// <summary>Who calculated <see cref="EarnedPoints"/>: <c>pdi</c>, <c>estimate</c>, or nobody yet.</summary>
    public string? RewardSource { get; init; }

    public FinalizeIntent? Intent { get; init; }

    public long RedeemedPoints { get; init; }

    public long? NewBalance { get; init; }

    public string? ReceiptId { get; init; }

    public DateTimeOffset? FinalizedAt { get; init; }

    public SessionFailure? Failure { get; init; }

    /// <summary>
    /// Where PostgreSQL keeps the session's row of work, if this very change has written it: the row can then be removed without
    /// reading the index page that it shares with every other sale in flight.
    /// </summary>
    public NpgsqlTid? WorkRow { get; init; }

    /// <summary>A request works on the session right now, by the database's clock.</summary>
    public bool IsBusy { get; init; }

    /// <summary>The session's time has run out, by the database's clock.</summary>
    public bool IsExpired { get; init; }

    public bool IsIdentified => PdiSessionId is not null;

    /// <summary>The idempotency key of this session's identify at PDI: whoever asks, PDI opens one session of its own.</summary>
    public string PdiIdentifyKey => Id.ToString("N");

    public PdiIdentifyRequest ToPdiIdentify() => new(CustomerId, ChannelId, TransactionId, StoreId);

    public SessionChange Identified(PdiIdentity identity, string cause) => Change(SessionEvent.Identified, cause, this with
    {
        PdiSessionId = identity.PdiSessionId,
        CustomerName = identity.CustomerName,
        CurrentPoints = identity.CurrentPoints,
        Tier = identity.Tier,
        IdentifiedVersion = Version + 1,
    });

    public SessionChange IdentifyRejected(PdiRejection rejection, string cause) => RejectedFor(SessionEvent.IdentifyRejected, rejection, cause);

    public SessionChange Calculated(long earnedPoints, string source, decimal amount, string cause) =>
        Change(SessionEvent.Calculated, cause, this with { EarnedPoints = earnedPoints, RewardSource = source }) with { Amount = amount };

    public SessionChange FinalizeRequested(FinalizeIntent intent, string cause) =>
        Change(SessionEvent.FinalizeRequested, cause, this with { Intent = intent }) with
        {
            Amount = intent.FinalAmount,
            Work = PdiWorkChange.Owed,
        };

    public SessionChange Finalized(PdiReceipt receipt, string cause) => Change(SessionEvent.Finalized, cause, this with
    {
        EarnedPoints = receipt.EarnedPoints,
        RewardSource = "pdi",
        RedeemedPoints = receipt.RedeemedPoints,
        NewBalance = receipt.NewBalance,
        ReceiptId = receipt.ReceiptId,
    }) with
    {
        Work = PdiWorkChange.Settled,
        Detail = IsEstimateWrong(receipt) ? $"estimate_was_{EarnedPoints}" : null,
        IsEstimateCorrected = IsEstimateWrong(receipt),
    };

    /// <summary>PDI gave other points than the till was told while PDI could not be asked.</summary>
    public bool IsEstimateWrong(PdiReceipt receipt) =>
        RewardSource == "estimate" && Intent is { ApplyRewards: true } && EarnedPoints != receipt.EarnedPoints;

    public SessionChange FinalizeRefused(PdiRejection rejection, string cause) =>
        Change(SessionEvent.FinalizeRefused, cause, this with { Intent = null }) with
        {
            // The session goes on, and has no place for it.
            Detail = $"{rejection.Code}: {rejection.Message}",
            Work = PdiWorkChange.Settled,
        };

    public SessionChange FinalizeWithdrawn(string cause) =>
        Change(SessionEvent.FinalizeWithdrawn, cause, this with { Intent = null }) with { Work = PdiWorkChange.Withdrawn };

    public SessionChange RefusedAfterExpiry(PdiRejection rejection, string cause) => RejectedFor(SessionEvent.RefusedAfterExpiry, rejection, cause);

    public SessionChange PdiSessionLost(PdiRejection rejection, string cause) => RejectedFor(SessionEvent.PdiSessionLost, rejection, cause);

    private SessionChange RejectedFor(SessionEvent sessionEvent, PdiRejection rejection, string cause) => Change(sessionEvent, cause, this with
    {
        Failure = new SessionFailure(SessionFailure.RejectedByPdi, rejection.Code, rejection.Message),
    }) with
    { Work = PdiWorkChange.Settled };

    /// <summary>Ends a session whose work is parked; the intent stays, as the record of what was asked for.</summary>
    /// <param name="reason">The operator's words.</param>
    /// <param name="client">The operator's name, for the timeline.</param>
    public SessionChange OperatorResolved(string reason, string client, string cause) => Change(SessionEvent.OperatorResolved, cause, this with
    {
        Failure = new SessionFailure(SessionFailure.Resolved, null, reason),
    }) with
    {
        Detail = client,
        Work = PdiWorkChange.Abandoned,
    };

    private SessionChange Change(SessionEvent sessionEvent, string cause, Session after) => new(
        Before: this,
        After: after with
        {
            Status = SessionTransitions.Apply(Status, sessionEvent),
            Version = Version + 1,
            IsBusy = false,
        },
        Event: sessionEvent,
        Cause: cause);
}

/// <summary>What a caller asked for with finalize, stored before PDI is told, so that it survives whatever dies next.</summary>
/// <param name="Fingerprint">Of the request's body, by meaning: a repeat has the same one.</param>
/// <param name="PdiKey">The idempotency key of this finalize at PDI: every attempt carries it, so that PDI commits once.</param>
/// <param name="FinalAmount">In units of the currency, two decimals.</param>
/// <param name="ApplyRewards">False: nothing is earned and nothing redeemed.</param>
/// <param name="RedeemPoints">Points to redeem; 0 for none.</param>
internal sealed record FinalizeIntent(Guid Fingerprint, Guid PdiKey, decimal FinalAmount, bool ApplyRewards, long RedeemPoints);

/// <summary>Why a session failed.</summary>
/// <param name="Reason"><see cref="RejectedByPdi"/>, <see cref="Expired"/> or <see cref="Resolved"/>.</param>
/// <param name="Code">PDI's code, where PDI gave one.</param>
/// <param name="Message">PDI's message, where PDI gave one; the operator's, where an operator resolved it.</param>
internal sealed record SessionFailure(string Reason, string? Code, [property: Personal] string? Message) : RedactedRecord
{
    public const string RejectedByPdi = "pdi_rejected";
    public const string Expired = "expired";
    public const string Resolved = "resolved";
}
