namespace PdiSimulator.Loyalty;

internal enum Tier
{
    Bronze,
    Silver,
    Gold,
    Platinum,
}

/// <summary>The points that a sale earns: two per unit of money, plus a tier bonus.</summary>
internal sealed record Rewards(long BasePoints, long TierBonus, decimal Multiplier)
{
    // Keeps every figure well inside a long, and catches a large amount sent in cents.
    public const decimal MaxAmount = 1_000_000m;

    private const decimal PointsPerUnit = 2m;
    private const decimal PointsPerDiscountUnit = 100m;

    public long EarnedPoints => BasePoints + TierBonus;

    // Rounds down once, on the total. The bonus is the total less the base, so the parts always add up.
    public static Rewards For(decimal amount, Tier tier)
    {
        var multiplier = Multiply(tier);
        var basePoints = (long)decimal.Floor(amount * PointsPerUnit);
        return new Rewards(basePoints, (long)decimal.Floor(amount * multiplier) - basePoints, multiplier);
    }

    public static bool IsAmount(decimal amount) => amount is >= 0 and <= MaxAmount;

    public static long Redeemable(decimal amount, long balance) => Math.Min(balance, (long)decimal.Floor(amount * PointsPerDiscountUnit));

    // Adding 0.00 gives two decimals on the wire.
    public static decimal Discount(long points) => points / PointsPerDiscountUnit + 0.00m;

    // Literals, not computed from the rates 0, 0.25, 0.5 and 1, so that each has one decimal on the wire.
    private static decimal Multiply(Tier tier) => tier switch
    {
        Tier.Bronze => 2.0m,
        Tier.Silver => 2.5m,
        Tier.Gold => 3.0m,
        Tier.Platinum => 4.0m,
        _ => throw new ArgumentOutOfRangeException(nameof(tier), tier, "Unknown tier."),
    };
}
