using System.Diagnostics;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.RateLimits;
using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

/// <summary>Calculates what the sale earns. Repeat it when the basket changes; the last one counts.</summary>
/// <param name="SessionId">From identify.</param>
/// <param name="TransactionAmount">0.00 to 999999.99, at most two decimals.</param>
/// <param name="Items">The basket: 0 to 500 lines.</param>
/// <param name="RedeemPoints">Points that the customer wants to redeem.</param>
/// <param name="Version">The session's version when the caller decided.</param>
internal sealed record CalculateRewardsRequest(
    string? SessionId, [property: JsonConverter(typeof(AmountConverter))] decimal? TransactionAmount, IReadOnlyList<RewardItem?>? Items, long? RedeemPoints = null, int? Version = null)
    : IRequestBody<CalculateRewardsRequest>, ICountsForCustomer
{
    public static JsonTypeInfo<CalculateRewardsRequest> Json => LoyaltyJson.Wire.CalculateRewardsRequest;

    string? ICountsForCustomer.CustomerKey() => SessionId;

    private const int MaxItems = 500;

    public void Validate(ICollection<FieldError> errors)
    {
        errors.CheckId("sessionId", SessionId);
        errors.CheckAmount("transactionAmount", TransactionAmount);
        errors.CheckPoints("redeemPoints", RedeemPoints);
        errors.CheckVersion(Version);
        if (Items is null)
            errors.Add(new FieldError("items", "is required; an empty list is valid."));
        else if (Items.Count > MaxItems)
            errors.Add(new FieldError("items", "must be at most 500 lines."));
        else
        {
            for (var index = 0; index < Items.Count; index++)
                CheckItem($"items[{index}]", Items[index], errors);
        }
    }

    /// <summary>Without the version: a repeat may carry a newer one.</summary>
    public Guid ToFingerprint()
    {
        var fingerprint = new Fingerprint("calculate");
        fingerprint.Add(SessionId);
        fingerprint.Add(TransactionAmount!.Value);
        fingerprint.Add(RedeemPoints ?? 0);
        fingerprint.Add(Items!.Count);
        foreach (var item in Items)
        {
            fingerprint.Add(item!.Sku);
            fingerprint.Add(item.Qty!.Value);
            fingerprint.Add(item.UnitPrice);
            fingerprint.Add(item.Category);
        }

        return fingerprint.ToGuid();
    }

    private static void CheckItem(string field, RewardItem? item, ICollection<FieldError> errors)
    {
        if (item is null)
        {
            errors.Add(new FieldError(field, "must be an object."));
            return;
        }

        errors.CheckText(field + ".sku", item.Sku);
        if (item.Qty is not (>= 1 and <= 9999))
            errors.Add(new FieldError(field + ".qty", "must be from 1 to 9999."));
        if (item.UnitPrice is not null)
            errors.CheckAmount(field + ".unitPrice", item.UnitPrice);
        if (item.Category is not null)
            errors.CheckText(field + ".category", item.Category);
    }
}

/// <param name="Sku">The article.</param>
/// <param name="Qty">1 to 9999.</param>
/// <param name="UnitPrice">Price per unit.</param>
/// <param name="Category">The article's category, for PDI's rules.</param>
internal sealed record RewardItem(
    string? Sku, int? Qty, [property: JsonConverter(typeof(AmountConverter))] decimal? UnitPrice = null, string? Category = null);

/// <param name="EarnedPoints">What the sale earns.</param>
/// <param name="Multiplier">Points per currency unit.</param>
/// <param name="BonusPoints">Points beyond the base.</param>
/// <param name="Breakdown">Where the points come from.</param>
/// <param name="SessionId">The session.</param>
/// <param name="Version">The session's version after this calculation.</param>
/// <param name="Source"><c>pdi</c>, or <c>estimate</c> while PDI is unavailable. PDI's figures at finalize are final.</param>
/// <param name="RedeemablePoints">Points that the customer can redeem on this sale.</param>
/// <param name="Discount">What the redemption is worth.</param>
internal sealed record CalculateRewardsResponse(
    long EarnedPoints,
    decimal Multiplier,
    long BonusPoints,
    RewardBreakdown Breakdown,
    string SessionId,
    int Version,
    string Source,
    long? RedeemablePoints,
    decimal? Discount);

/// <param name="BasePoints">Points that every customer earns.</param>
/// <param name="TierBonus">Points that the customer's tier adds.</param>
/// <param name="Promotions">Points that promotions add, if any.</param>
internal sealed record RewardBreakdown(long BasePoints, long TierBonus, long? Promotions = null);

/// <summary>
/// Calculate: call PDI, or estimate by the local rules while PDI is unavailable, and store the figures. They promise nothing, so two
/// concurrent calculations do not conflict: the last one stored counts.
/// </summary>
internal sealed class CalculateRewards(
    ISessionStore sessions, PdiClient pdi, RewardCalculator calculator, SessionLimits limits)
{
    private const string FromPdi = "pdi";
    private const string Estimate = "estimate";

    public async Task<Answer<CalculateRewardsResponse>> RunAsync(
        CalculateRewardsRequest request, string client, VersionCondition condition, Operation operation, CancellationToken cancellationToken)
    {
        var session = await FindAsync(request, client, cancellationToken);
        if (session is null)
            return SessionRejections.NotFound();
        operation.IsAbout(session);
        if (Refuse(session, condition) is { } refusal)
            return refusal;

        var (rewards, rejection) = await CalculateAsync(session, request);
        // PDI rejects a session that was finalized in the meantime. Answer as if the call had come after that finalize.
        if (rejection is not null)
        {
            if (await FindAsync(request, client, cancellationToken) is { } now && Refuse(now, condition) is { } overtaken)
                return overtaken;
            operation.Reason = rejection.PdiCode;
            return rejection;
        }

        Failpoint.Hit("calculate.answered");

        for (var attempt = 1; attempt <= limits.MaxSaveTries; attempt++)
        {
            var change = session.Calculated(rewards!.EarnedPoints, rewards.Source, request.TransactionAmount!.Value, Causes.Request)
                with
            { TraceId = Activity.Current?.TraceId.ToHexString() };
            if (await sessions.SaveAsync(change, CancellationToken.None) is { } saved)
            {
                Failpoint.Hit("calculate.stored");
                operation.IsAbout(saved);
                return Answer<CalculateRewardsResponse>
                    .Of(StatusCodes.Status200OK, rewards with { Version = saved.Version }, LoyaltyJson.Wire.CalculateRewardsResponse)
                    .WithVersion(saved.Version);
            }

            session = await FindAsync(request, client, cancellationToken) ?? throw new InvalidDataException("A session that was there is gone.");
            if (Refuse(session, condition) is { } movedOn)
                return movedOn;
        }

        return SessionRejections.InProgress(session, "Other calls keep changing the session.");
    }

    private async Task<Session?> FindAsync(CalculateRewardsRequest request, string client, CancellationToken cancellationToken) =>
        SessionId.TryParse(request.SessionId, out var id) ? await sessions.FindAsync(id, client, cancellationToken) : null;

    private static Rejection? Refuse(Session session, VersionCondition condition) =>
        condition.Check(session)
        ?? (session.IsExpired || !SessionTransitions.Allows(session.Status, SessionEvent.Calculated)
            ? SessionRejections.InvalidState(session, "calculated")
            : null);

    private async Task<(CalculateRewardsResponse? Rewards, Rejection? Rejection)> CalculateAsync(Session session, CalculateRewardsRequest request)
    {
        if (session.IsIdentified)
        {
            try
            {
                var result = await pdi.CalculateAsync(ToPdi(session, request));
                if (result.Rejection is { } rejection)
                    return (null, SessionRejections.ByPdi(rejection, session));
                return (FromPdiRewards(session, result.Value!), null);
            }
            catch (PdiUnavailableException)
            {
                // Estimate below: an outage must not delay the till.
            }
        }

        return request.RedeemPoints > 0
            ? (null, SessionRejections.PdiUnavailable("Points can be redeemed only if PDI confirms."))
            : (Estimated(session, request.TransactionAmount!.Value), null);
    }

    private static PdiCalculateRequest ToPdi(Session session, CalculateRewardsRequest request) => new(
        session.PdiSessionId!,
        request.TransactionAmount!.Value,
        [.. request.Items!.Select(item => new PdiItem(item!.Sku!, item.Qty!.Value, item.UnitPrice, item.Category))],
        request.RedeemPoints);

    private static CalculateRewardsResponse FromPdiRewards(Session session, PdiRewards rewards)
    {
        var promotions = rewards.EarnedPoints - rewards.BasePoints - rewards.TierBonus;
        return new CalculateRewardsResponse(
            rewards.EarnedPoints, AtLeastOneDecimal(rewards.Multiplier), rewards.BonusPoints,
            new RewardBreakdown(rewards.BasePoints, rewards.TierBonus, promotions > 0 ? promotions : null),
            SessionId.Format(session.Id), session.Version, FromPdi, rewards.RedeemablePoints, rewards.Discount);
    }

    private CalculateRewardsResponse Estimated(Session session, decimal amount)
    {
        var rewards = calculator.Calculate(amount, session.Tier);
        return new CalculateRewardsResponse(
            rewards.EarnedPoints, AtLeastOneDecimal(rewards.Multiplier), rewards.TierBonus,
            new RewardBreakdown(rewards.BasePoints, rewards.TierBonus),
            SessionId.Format(session.Id), session.Version, Estimate, RedeemablePoints: null, Discount: null);
    }

    /// <summary>Writes 3 and 3.00 as 3.0.</summary>
    private static decimal AtLeastOneDecimal(decimal multiplier)
    {
        var shortest = multiplier / 1.000000000000000000000000000000m;
        return shortest.Scale == 0 ? shortest * 1.0m : shortest;
    }
}
