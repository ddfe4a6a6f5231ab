using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace LoyaltyService.Loyalty;

/// <summary>The rules of the estimate, from rewards.json beside the program.</summary>
internal sealed class RewardRules
{
    /// <summary>The brief's example earns 300 base points for 150.00: two a unit.</summary>
    [Range(0, 1000)]
    public decimal PointsPerCurrencyUnit { get; set; }

    /// <summary>By the name that PDI gives the tier, letters of either case.</summary>
    public Dictionary<string, TierRule> Tiers { get; set; } = new(StringComparer.OrdinalIgnoreCase);
}

internal sealed class TierRule
{
    /// <summary>What the tier adds, as a share of the base points: 0.5 for half as much again.</summary>
    [Range(0, 100)]
    public decimal BonusRate { get; set; }
}

[OptionsValidator]
internal sealed partial class RewardRulesValidator : IValidateOptions<RewardRules>;
