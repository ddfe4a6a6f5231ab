using LoyaltyService.Http;
using LoyaltyService.Observability;
using Microsoft.Extensions.Options;

namespace LoyaltyService.Loyalty;

/// <summary>The use cases of a sale: one class each.</summary>
internal static class LoyaltyModule
{
    private const string RulesFile = "rewards.json";

    public static void AddLoyalty(this WebApplicationBuilder builder)
    {
        builder.Services.AddErrors(LoyaltyErrors.All);
        builder.Services.AddFeatureMetrics<LoyaltyMetrics>();
        builder.Services.Configure<ApiDescription>(LoyaltyReference.Describe);
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, RulesFile), optional: false);
        builder.Services.AddSingleton<IValidateOptions<RewardRules>, RewardRulesValidator>();
        // Strict: a misspelled member or an invalid rate would otherwise silently be 0.
        builder.Services.AddOptions<RewardRules>()
            .BindConfiguration("Rewards", static binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        builder.Services.AddSingleton(services => new RewardCalculator(services.GetRequiredService<IOptions<RewardRules>>().Value));

        builder.Services.AddSingleton<Operations>();
        builder.Services.AddSingleton<IdentifyCustomer>();
        builder.Services.AddSingleton<CalculateRewards>();
        builder.Services.AddSingleton<FinalizeSession>();
        builder.Services.AddSingleton<GetSessionStatus>();
    }
}
