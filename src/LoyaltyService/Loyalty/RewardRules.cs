using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace LoyaltyService.Loyalty;

/// <summary>The rules of the estimate, read from rewards.json next to the program.</summary>
internal sealed class RewardRules : IValidatableObject
{
    /// <summary>The brief's example earns 300 base points for 150.00: two a unit. Not 0, which is what a file without it would mean.</summary>
    [Range(0.01, 1000)]
    public decimal PointsPerCurrencyUnit { get; set; }

    /// <summary>By PDI's name of the tier, case-insensitive.</summary>
    public Dictionary<string, TierRule> Tiers { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Tiers.Count == 0)
            yield return new ValidationResult("Tiers must have at least one tier.", [nameof(Tiers)]);
        foreach (var (tier, rule) in Tiers)
        {
            if (rule is not { BonusRate: >= 0 and <= 100 })
                yield return new ValidationResult($"Tiers:{tier}:BonusRate must be from 0 to 100.", [nameof(Tiers)]);
        }
    }
}

internal sealed class TierRule
{
    /// <summary>The tier's bonus as a share of the base points, 0 to 100: 0.5 adds half.</summary>
    public decimal BonusRate { get; set; }
}

[OptionsValidator]
internal sealed partial class RewardRulesValidator : IValidateOptions<RewardRules>;
