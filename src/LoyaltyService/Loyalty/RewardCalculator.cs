namespace LoyaltyService.Loyalty;

/// <summary>
/// What a sale earns by the local rules (rewards.json): an estimate for the time when PDI cannot be asked. Points are whole numbers;
/// they are rounded down, once, on the total, so that splitting base and bonus never gives a point more than the sale earned.
/// </summary>
internal sealed class RewardCalculator(RewardRules rules)
{
    /// <param name="amount">In units of the currency.</param>
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

/// <param name="BasePoints">What any customer earns.</param>
/// <param name="TierBonus">What the customer's tier adds.</param>
/// <param name="EarnedPoints">Their sum.</param>
/// <param name="Multiplier">Points for one unit of the currency, before rounding.</param>
internal sealed record Rewards(long BasePoints, long TierBonus, long EarnedPoints, decimal Multiplier);
