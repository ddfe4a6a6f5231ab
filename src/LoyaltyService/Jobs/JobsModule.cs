using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using LoyaltyService.Sessions;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Jobs;

/// <summary>Scheduled jobs: expiry, archive, clean-up, reconciliation.</summary>
internal static class JobsModule
{
    public static void AddJobs(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddFeatureMetrics<JobMetrics>();
        builder.Services.AddFeatureMetrics<ReconciliationMetrics>();
        builder.Services.Configure<ApiDescription>(JobsReference.Describe);
        builder.Services.AddSingleton(JobEndpoints.RunJob);
        builder.Services.AddSingleton(ReconciliationEndpoints.ResolveFinding);
        builder.Services.TryAddSingleton(new JobLimits { ArchiveAfter = settings.ArchiveAfter });
        if (settings.Database is PostgresUrl)
        {
            builder.Services.AddSingleton<IJobRunStore, PostgresJobRunStore>();
            builder.Services.TryAddSingleton<UpkeepLimits>();
            builder.Services.AddSingleton<ISessionUpkeep, PostgresSessionUpkeep>();
            builder.Services.AddSingleton<IReconciliationStore, PostgresReconciliationStore>();
        }
        else
        {
            builder.Services.AddSingleton<IJobRunStore, SqliteJobRunStore>();
            builder.Services.AddSingleton<ISessionUpkeep, SqliteSessionUpkeep>();
            builder.Services.AddSingleton<IReconciliationStore, SqliteReconciliationStore>();
        }

        // In the order of the operators' list.
        builder.Services.AddSingleton<IJob, ExpireSessionsJob>();
        builder.Services.AddSingleton<IJob, ArchiveSessionsJob>();
        builder.Services.AddSingleton<IJob, ClearCacheJob>();
        builder.Services.AddSingleton<IJob, ReconcileSessionsJob>();
        builder.Services.AddSingleton<JobRunner>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<JobRunner>());
    }
}
