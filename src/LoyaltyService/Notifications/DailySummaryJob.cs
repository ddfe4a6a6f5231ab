using LoyaltyService.Http;
using LoyaltyService.Jobs;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;

namespace LoyaltyService.Notifications;

/// <summary>
/// brief: a daily summary by mail, of the day before. Runs at 6:00 UTC, when the reconciliation of 1:00 is usually done. Each missed day gets its
/// own mail. The job only queues mails; <see cref="MailSender"/> sends them. A run that is taken over restarts: a day's mail is queued after its
/// last page, and only once.
/// </summary>
internal sealed class DailySummaryJob(
    ISummaryStore store, INotificationStore notifications, Notifier notifier, IPdiWorkStore work, IJobRunStore runs, SessionLimits sessionLimits,
    JobLimits jobLimits, NotificationLimits limits) : IJob
{
    public string Name => "daily-summary";

    public string Schedule => "0 6 * * *";

    public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var last = DayOf(run.Row.ScheduledFor);
        // Days after the last run's day, and always the day before. The first run has nothing to catch up on.
        var first = await runs.LastDoneAsync(Name, cancellationToken) is { } done ? DayOf(done).AddDays(1) : last;
        var earliest = last.AddDays(1 - limits.SummaryDaysBack);
        first = first < earliest ? earliest : first > last ? last : first;
        for (var day = first; day <= last; day = day.AddDays(1))
            await TellAsync(day, run, cancellationToken);

        await notifications.ForgetAsync(limits.Keep, cancellationToken);
        await store.ForgetCountsAsync(limits.Keep, cancellationToken);
    }

    /// <summary>The day that a scheduled run reports.</summary>
    private static DateOnly DayOf(DateTimeOffset occurrence) => DateOnly.FromDateTime(occurrence.UtcDateTime).AddDays(-1);

    private async Task TellAsync(DateOnly day, JobRun run, CancellationToken cancellationToken)
    {
        var summary = new DailySummary(day);
        // Sessions created earlier cannot have closed on this day: see the reconciliation.
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

        // A manual run sends the summary again.
        var key = run.Row.ByHand ? $"{summary.Title} by hand {run.Row.ScheduledFor:O}" : summary.Title;
        await notifier.TellAsync(
            summary.ToNotification(key, await store.ReadAsync(day, cancellationToken), await work.CountAsync(cancellationToken)), cancellationToken);
        await run.ReportAsync(1, progress: null, cancellationToken);
    }
}
