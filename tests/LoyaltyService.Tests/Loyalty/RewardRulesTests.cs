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
    public void The_file_has_the_tiers_and_rates_of_the_program()
    {
        var rules = Shipped();

        Assert.Equal(2m, rules.PointsPerCurrencyUnit);
        Assert.Equal(
            [("Bronze", 0m), ("Gold", 0.5m), ("Platinum", 1m), ("Silver", 0.25m)],
            rules.Tiers.OrderBy(tier => tier.Key, StringComparer.Ordinal).Select(tier => (tier.Key, tier.Value.BonusRate)));
    }

    [Fact]
    public void Tiers_are_found_in_any_case_after_binding() => Assert.True(Shipped().Tiers.ContainsKey("PLATINUM"));

    [Theory]
    [InlineData("""{"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":0,"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":-2,"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":1001,"Tiers":{"Gold":{"BonusRate":0.5}}}""", "PointsPerCurrencyUnit")]
    [InlineData("""{"PointsPerCurrencyUnit":2}""", "Tiers")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{}}""", "Tiers")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"BonusRate":-0.5}}}""", "Gold")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"BonusRate":101}}}""", "Gold")]
    public void Rules_that_make_no_sense_are_refused_by_name(string rewards, string named)
    {
        var refusal = Assert.Throws<OptionsValidationException>(() => Bind(rewards));

        Assert.Contains(named, refusal.Message);
    }

    [Theory]
    [InlineData("""{"PointsPerCurrencyUnit":"many","Tiers":{"Gold":{"BonusRate":0.5}}}""")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"BonusRate":"half"}}}""")]
    [InlineData("""{"PointsPerCurrencyUnits":2,"Tiers":{"Gold":{"BonusRate":0.5}}}""")]
    [InlineData("""{"PointsPerCurrencyUnit":2,"Tiers":{"Gold":{"Bonus":0.5}}}""")]
    public void Rules_that_cannot_be_read_are_refused(string rewards) => Assert.ThrowsAny<Exception>(() => Bind(rewards));

    [Fact]
    public void No_rules_at_all_are_refused() => Assert.Throws<OptionsValidationException>(() => Bind("{}"));

    /// <summary>The rules of the file that ships with the service.</summary>
    internal static RewardRules Shipped() => Read(Repository.ReadAllText("src/LoyaltyService/rewards.json"));

    private static RewardRules Bind(string rewards) => Read($$"""{"Rewards":{{rewards}}}""");

    // As the service binds it: the registrations are those of the module, only the file's content is the test's.
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
