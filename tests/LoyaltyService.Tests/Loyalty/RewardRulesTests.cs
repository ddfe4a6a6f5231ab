using System.Text;
using LoyaltyService.Loyalty;
using LoyaltyService.Tests.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LoyaltyService.Tests.Loyalty;

public sealed class RewardRulesTests
{
    [Fact]
    public void The_shipped_file_has_the_programs_tiers_and_rates()
    {
        var rules = Shipped();

        Assert.Equal(2m, rules.PointsPerCurrencyUnit);
        Assert.Equal(
            [("Bronze", 0m), ("Gold", 0.5m), ("Platinum", 1m), ("Silver", 0.25m)],
            rules.Tiers.OrderBy(tier => tier.Key, StringComparer.Ordinal).Select(tier => (tier.Key, tier.Value.BonusRate)));
    }

    [Fact]
    public void Tier_lookup_ignores_case_after_binding() => Assert.True(Shipped().Tiers.ContainsKey("PLATINUM"));

    [Theory]
    [InlineData("""{"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":0,"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":-2,"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":1001,"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":2}""", "Tiers")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{}}""", "Tiers")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"BonusRate":-0.5}}}""", "Gold")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"BonusRate":101}}}""", "Gold")]
    public void An_error_names_the_invalid_rule(string rewards, string named)
    {
        var refusal = Assert.Throws<OptionsValidationException>(() => Bind(rewards));

        Assert.Contains(named, refusal.Message);
    }

    [Theory]
    [InlineData("""{"PointsPerCurrencyUnit":"many","Tiers":{"Gold":{"BonusRate":0.5}}}""")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"BonusRate":"half"}}}""")]
    [InlineData("""{"PointsPerCurrencyUnits":2,"Tiers":{"Gold":{"BonusRate":0.5}}}""")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"Bonus":0.5}}}""")]
    public void Unreadable_rules_are_refused(string rewards) => Assert.ThrowsAny<Exception>(() => Bind(rewards));

    [Fact]
    public void Missing_rules_are_refused() => Assert.Throws<OptionsValidationException>(() => Bind("{}"));

    /// <summary>The rules that ship with the service.</summary>
    internal static RewardRules Shipped() => Read(Repository.ReadAllText("src/LoyaltyService/rewards.json"));

    private static RewardRules Bind(string rewards) => Read($$"""{"Rewards":{{rewards}}}""");

    // Uses the module's registrations; only the file's content comes from the test.
    private static RewardRules Read(string file)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.AddLoyalty();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(file)));
        using var services = builder.Services.BuildServiceProvider();
        return services.GetRequiredService<IOptions<RewardRules>>().Value;
    }
}
