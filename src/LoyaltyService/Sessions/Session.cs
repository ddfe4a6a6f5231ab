using LoyaltyService.Pdi;
using LoyaltyService.Privacy;

namespace LoyaltyService.Sessions;

/// <summary>
/// One loyalty transaction, from identification to finalization: a row of <c>sessions</c>, as an immutable value. Each method that changes it
/// returns a <see cref="SessionChange"/>, which a store applies only if the row still has the version and status it was decided on.
/// </summary>
internal sealed record Session : RedactedRecord
{
    public required Guid Id { get; init; }

    /// <summary>Hash of client, channel and transaction. Unique: a sale has one session.</summary>
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

    /// <summary>1 at creation; incremented by each change.</summary>
    public int Version { get; init; } = 1;

    public string? PdiSessionId { get; init; }

    [Personal]
    public string? CustomerName { get; init; }

    /// <summary>The customer's balance when PDI identified them.</summary>
    public long CurrentPoints { get; init; }

    public string? Tier { get; init; }

    /// <summary>The version that identification led to: the version of identify's first answer and of every repeat.</summary>
    public int? IdentifiedVersion { get; init; }

    /// <summary>The points of the last calculation; after finalize, the points PDI gave.</summary>
    public long EarnedPoints { get; init; }

    /// <summary>The source of <see cref="EarnedPoints"/>: <c>pdi</c> or <c>estimate</c>; null before a calculation.</summary>
    public string? RewardSource { get; init; }

    public FinalizeIntent? Intent { get; init; }

    public long RedeemedPoints { get; init; }

    public long? NewBalance { get; init; }

    public string? ReceiptId { get; init; }

    public DateTimeOffset? FinalizedAt { get; init; }

    public SessionFailure? Failure { get; init; }

    /// <summary>
    /// The store's own: the place of the session's row of work, if this very change wrote it. The store can then delete the row without
    /// reading the index page that it shares with every other sale in flight.
    /// </summary>
    public RowPlace? WorkRow { get; init; }

    /// <summary>A request is working on the session, by the database's clock.</summary>
    public bool IsBusy { get; init; }

    /// <summary>The session has expired, by the database's clock.</summary>
    public bool IsExpired { get; init; }

    public bool IsIdentified => PdiSessionId is not null;

    /// <summary>The idempotency key of this session's identify at PDI: every call uses it, so PDI opens one session.</summary>
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

    /// <summary>PDI gave other points than the estimate that the till got.</summary>
    public bool IsEstimateWrong(PdiReceipt receipt) =>
        RewardSource == "estimate" && Intent is { ApplyRewards: true } && EarnedPoints != receipt.EarnedPoints;

    public SessionChange FinalizeRefused(PdiRejection rejection, string cause) =>
        Change(SessionEvent.FinalizeRefused, cause, this with { Intent = null }) with
        {
            // The session continues, and has no field for PDI's message.
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

    /// <summary>Ends a session whose work is parked; the intent stays as a record of the request.</summary>
    /// <param name="reason">The operator's reason.</param>
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

/// <summary>A caller's request to finalize, stored before PDI is called, so that it survives any crash.</summary>
/// <param name="Fingerprint">Of the request's body, by meaning: a repeat has the same one.</param>
/// <param name="PdiKey">The idempotency key of this finalize at PDI: every attempt uses it, so PDI commits once.</param>
/// <param name="FinalAmount">In units of the currency, two decimals.</param>
/// <param name="ApplyRewards">False: nothing is earned and nothing redeemed.</param>
/// <param name="RedeemPoints">Points to redeem; 0 for none.</param>
internal sealed record FinalizeIntent(Guid Fingerprint, Guid PdiKey, decimal FinalAmount, bool ApplyRewards, long RedeemPoints);

/// <summary>Why a session failed.</summary>
/// <param name="Reason"><see cref="RejectedByPdi"/>, <see cref="Expired"/> or <see cref="Resolved"/>.</param>
/// <param name="Code">PDI's code, where PDI gave one.</param>
/// <param name="Message">PDI's message, where PDI gave one; the operator's reason, where an operator resolved it.</param>
internal sealed record SessionFailure(string Reason, string? Code, [property: Personal] string? Message) : RedactedRecord
{
    public const string RejectedByPdi = "pdi_rejected";
    public const string Expired = "expired";
    public const string Resolved = "resolved";
}

/// <summary>A row's place in a table, for the store that wrote it.</summary>
internal readonly record struct RowPlace(uint Block, ushort Offset);
