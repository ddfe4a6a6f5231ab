using CsCheck;
using LoyaltyService.Loyalty;

namespace LoyaltyService.Tests.Loyalty;

public sealed class RewardCalculatorTests
{
    private static readonly RewardCalculator Calculator = new(RewardRulesTests.Shipped());

    private static readonly Gen<decimal> Amount = Gen.Int[0, 99_999_999].Select(cents => cents / 100m);

    private static readonly Gen<string?> Tier = Gen.OneOf<string?>(null, "", "Bronze", "Silver", "Gold", "Platinum", "gold", "Diamond");

    // The properties must hold for any rules, not only for today's.
    private static readonly Gen<RewardCalculator> AnyCalculator = Gen.Select(
        Gen.Int[1, 100_000].Select(rate => rate / 100m), Gen.Int[0, 10_000].Select(rate => rate / 100m),
        (points, bonus) => new RewardCalculator(new RewardRules { PointsPerCurrencyUnit = points, Tiers = { ["Gold"] = new TierRule { BonusRate = bonus } } }));

    [Fact]
    public void The_sample_sale_has_the_exact_figures() =>
        Assert.Equal(new Rewards(BasePoints: 300, TierBonus: 150, EarnedPoints: 450, Multiplier: 3.0m), Calculator.Calculate(150.00m, "Gold"));

    [Theory]
    [InlineData("0.00", "Gold", 0, 0)]
    [InlineData("0.01", "Gold", 0, 0)]
    [InlineData("0.33", "Gold", 0, 0)]
    // 0.34 earns 1.02 in all, and 0.68 of it is base. The whole point belongs to the bonus.
    [InlineData("0.34", "Gold", 0, 1)]
    [InlineData("0.50", "Gold", 1, 0)]
    [InlineData("10.00", "Bronze", 20, 0)]
    [InlineData("10.00", "Silver", 20, 5)]
    [InlineData("10.00", "Gold", 20, 10)]
    [InlineData("10.00", "Platinum", 20, 20)]
    [InlineData("999999.99", "Platinum", 1_999_999, 2_000_000)]
    public void Points_are_rounded_down_on_the_total(string amount, string tier, long basePoints, long tierBonus)
    {
        var rewards = Calculator.Calculate(decimal.Parse(amount), tier);

        Assert.Equal((basePoints, tierBonus, basePoints + tierBonus), (rewards.BasePoints, rewards.TierBonus, rewards.EarnedPoints));
    }

    [Theory]
    [InlineData("gold")]
    [InlineData("GOLD")]
    [InlineData("gOlD")]
    public void A_tier_may_be_written_in_any_case(string tier) =>
        Assert.Equal(Calculator.Calculate(150m, "Gold"), Calculator.Calculate(150m, tier));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Gold ")]
    [InlineData("Diamond")]
    [InlineData("\u0000")]
    public void An_unknown_tier_earns_only_base_points(string? tier) =>
        Assert.Equal(new Rewards(300, 0, 300, 2m), Calculator.Calculate(150m, tier));

    [Fact]
    public void Any_tier_text_earns_at_least_base_points() => Gen.String.Sample(tier =>
        Assert.True(Calculator.Calculate(150m, tier).EarnedPoints >= 300));

    [Fact]
    public void Points_are_never_negative_and_base_plus_bonus_is_the_total() => Gen.Select(AnyCalculator, Amount, Tier).Sample((calculator, amount, tier) =>
    {
        var rewards = calculator.Calculate(amount, tier);

        Assert.True(rewards is { BasePoints: >= 0, TierBonus: >= 0, EarnedPoints: >= 0 }, rewards.ToString());
        Assert.Equal(rewards.EarnedPoints, rewards.BasePoints + rewards.TierBonus);
    });

    [Fact]
    public void Points_are_rounded_once_on_the_total() => Gen.Select(AnyCalculator, Amount, Tier).Sample((calculator, amount, tier) =>
    {
        var rewards = calculator.Calculate(amount, tier);

        var exact = amount * rewards.Multiplier;
        Assert.True(rewards.EarnedPoints <= exact && exact < rewards.EarnedPoints + 1, $"{rewards} of {exact}");
    });

    [Fact]
    public void A_larger_sale_never_earns_less() => Gen.Select(AnyCalculator, Amount, Amount, Tier).Sample((calculator, one, other, tier) =>
    {
        var smaller = calculator.Calculate(Math.Min(one, other), tier);
        var larger = calculator.Calculate(Math.Max(one, other), tier);

        Assert.True(smaller.EarnedPoints <= larger.EarnedPoints && smaller.BasePoints <= larger.BasePoints);
    });

    [Fact]
    public void Splitting_a_sale_never_earns_more() => Gen.Select(AnyCalculator, Amount, Gen.Double[0, 1], Tier).Sample((calculator, amount, share, tier) =>
    {
        var part = decimal.Round(amount * (decimal)share, 2);

        var split = calculator.Calculate(part, tier).EarnedPoints + calculator.Calculate(amount - part, tier).EarnedPoints;

        Assert.True(split <= calculator.Calculate(amount, tier).EarnedPoints);
    });

    [Fact]
    public void A_tier_never_earns_less_than_no_tier() => Gen.Select(AnyCalculator, Amount, Tier).Sample((calculator, amount, tier) =>
        Assert.True(calculator.Calculate(amount, tier).EarnedPoints >= calculator.Calculate(amount, null).EarnedPoints));
}
