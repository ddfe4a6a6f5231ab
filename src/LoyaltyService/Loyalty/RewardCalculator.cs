namespace LoyaltyService.Loyalty;

/// <summary>
/// Estimates what a sale earns by the local rules (rewards.json), while PDI is unavailable. Points are whole numbers, rounded down once, on
/// the total, so base and bonus together never exceed what the sale earned.
/// </summary>
internal sealed class RewardCalculator(RewardRules rules)
{
    /// <param name="amount">In currency units.</param>
    /// <param name="tier">The customer's tier; null or unknown earns the base only.</param>
    public Rewards Calculate(decimal amount, string? tier)
    {
        var bonusRate = tier is not null && rules.Tiers.TryGetValue(tier, out var rule) ? rule.BonusRate : 0;
        var multiplier = rules.PointsPerCurrencyUnit * (1 + bonusRate);
        var earned = WholePoints(amount * multiplier);
        var basePoints = WholePoints(amount * rules.PointsPerCurrencyUnit);
        return new Rewards(basePoints, TierBonus: earned - basePoints, earned, multiplier);
    }

    private static long WholePoints(decimal points) => decimal.ToInt64(decimal.Floor(points));
}

/// <param name="BasePoints">Points that every customer earns.</param>
/// <param name="TierBonus">Points that the customer's tier adds.</param>
/// <param name="EarnedPoints">Their sum.</param>
/// <param name="Multiplier">Points per currency unit, before rounding.</param>
internal sealed record Rewards(long BasePoints, long TierBonus, long EarnedPoints, decimal Multiplier);
