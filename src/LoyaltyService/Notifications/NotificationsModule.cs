using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Jobs;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Notifications;

/// <summary>Notifies operators: in the log, and by mail if SMTP_URL is set.</summary>
internal static class NotificationsModule
{
    public static void AddNotifications(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.Configure<ApiDescription>(NotificationsReference.Describe);
        builder.Services.AddSingleton(AnnounceMaintenance.Action);
        builder.Services.AddSingleton(CallOffMaintenance.Action);
        builder.Services.TryAddSingleton<NotificationLimits>();
        if (settings.Database is PostgresUrl)
        {
            builder.Services.AddSingleton<INotificationStore, PostgresNotificationStore>();
            builder.Services.AddSingleton<IMaintenanceStore, PostgresMaintenanceStore>();
            builder.Services.AddSingleton<ISummaryStore, PostgresSummaryStore>();
        }
        else
        {
            builder.Services.AddSingleton<INotificationStore, SqliteNotificationStore>();
            builder.Services.AddSingleton<IMaintenanceStore, SqliteMaintenanceStore>();
            builder.Services.AddSingleton<ISummaryStore, SqliteSummaryStore>();
        }

        builder.Services.AddSingleton<Notifier>();
        builder.Services.AddSingleton<AnnounceMaintenance>();
        builder.Services.AddSingleton<CallOffMaintenance>();
        builder.Services.AddHostedService<StartNotes>();
        if (settings.Smtp is not null)
            builder.AddMail();
    }

    private static void AddMail(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SmtpMailer>();
        builder.Services.AddSingleton<IJob, DailySummaryJob>();
        builder.Services.AddHostedService<MailSender>();
        builder.Services.AddHostedService<DailyCountsWriter>();
    }
}
