using LoyaltyService.Jobs;
using LoyaltyService.Loyalty;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Notifications;

/// <summary>
/// brief: a daily summary by mail, of the day before. At 6 AM UTC, when the reconciliation of 1 AM is usually done. Writes the mail down;
/// that it is sent is <see cref="MailSender"/>'s affair. A run that is taken over begins again: nothing is told before the end.
/// </summary>
internal sealed class DailySummaryJob(
    ISummaryStore store, INotificationStore notifications, Notifier notifier, IPdiWorkStore work, SessionLimits sessionLimits, JobLimits jobLimits,
    NotificationLimits limits) : IJob
{
    public string Name => JobNames.DailySummary;

    public string Schedule => "0 6 * * *";

    public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var day = DateOnly.FromDateTime(run.Row.ScheduledFor.UtcDateTime).AddDays(-1);
        var summary = new DailySummary(day);
        // What was created earlier cannot have been closed within the day: see the reconciliation.
        var start = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero) - sessionLimits.Lifetime - jobLimits.ReconcileLate;
        foreach (var archived in new[] { false, true })
        {
            var at = new PageCursor(start, Guid.Empty);
            while (await store.PageAsync(archived, day, at, jobLimits.BatchSize, cancellationToken) is [var first, ..] page)
            {
                summary.Add(page);
                at = first.Reached;
                await run.ReportAsync(0, progress: null, cancellationToken);
            }
        }

        // Who asks for it by hand gets it again.
        var key = run.Row.ByHand ? $"{summary.Title} by hand {run.Row.ScheduledFor:O}" : summary.Title;
        await notifier.TellAsync(
            summary.ToNotification(key, await store.ReadAsync(day, cancellationToken), await work.CountAsync(cancellationToken)), cancellationToken);
        await run.ReportAsync(1, progress: null, cancellationToken);

        await notifications.ForgetAsync(limits.Keep, cancellationToken);
        await store.ForgetCountsAsync(limits.Keep, cancellationToken);
    }
}
