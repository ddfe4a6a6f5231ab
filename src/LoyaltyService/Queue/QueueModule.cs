using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Queue;

/// <summary>The queue for PDI, its worker and the operators' actions.</summary>
internal static class QueueModule
{
    public static void AddQueue(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddErrors(QueueErrors.All);
        builder.Services.Configure<ApiDescription>(QueueReference.Describe);
        builder.Services.AddSingleton(ReplayItem.Action);
        builder.Services.AddSingleton(ResolveItem.Action);
        builder.Services.TryAddSingleton(new PdiWorkLimits { MaxItems = settings.QueueMaxItems });
        if (settings.Database is PostgresUrl)
            builder.Services.AddSingleton<IPdiWorkStore, PostgresPdiWorkStore>();
        else
            builder.Services.AddSingleton<IPdiWorkStore, SqlitePdiWorkStore>();
        // In the order in which a session needs them.
        builder.Services.AddSingleton<IOwedKind, OwedIdentify>();
        builder.Services.AddSingleton<OwedFinalize>();
        builder.Services.AddSingleton<IOwedKind>(static services => services.GetRequiredService<OwedFinalize>());
        builder.Services.AddSingleton<SettleSession>();
        builder.Services.AddSingleton<PdiWorkFailures>();
        builder.Services.AddSingleton<PdiWorker>();
        // Before the worker starts.
        builder.Services.AddHostedService<BudgetBounds>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<PdiWorker>());

        builder.Services.AddSingleton<ListQueue>();
        builder.Services.AddSingleton<ReplayItem>();
        builder.Services.AddSingleton<ResolveItem>();
    }
}
