using LoyaltyService.Http;
using LoyaltyService.Jobs;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;

namespace LoyaltyService.Notifications;

/// <summary>
/// brief: a daily summary by mail, of the day before. At 6 AM UTC, when the reconciliation of 1 AM is usually done. Days that were missed
/// are made up for, each with a mail of its own. Writes the mails down; that they are sent is <see cref="MailSender"/>'s affair. A run
/// that is taken over begins again: a day is told at its end, and once.
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
        // Those after the one that the last run was about, and the day before in any case; before the first run there is nothing to make up for.
        var first = await runs.LastDoneAsync(Name, cancellationToken) is { } done ? DayOf(done).AddDays(1) : last;
        var earliest = last.AddDays(1 - limits.SummaryDaysBack);
        first = first < earliest ? earliest : first > last ? last : first;
        for (var day = first; day <= last; day = day.AddDays(1))
            await TellAsync(day, run, cancellationToken);

        await notifications.ForgetAsync(limits.Keep, cancellationToken);
        await store.ForgetCountsAsync(limits.Keep, cancellationToken);
    }

    /// <summary>The day that an occurrence is about.</summary>
    private static DateOnly DayOf(DateTimeOffset occurrence) => DateOnly.FromDateTime(occurrence.UtcDateTime).AddDays(-1);

    private async Task TellAsync(DateOnly day, JobRun run, CancellationToken cancellationToken)
    {
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
    }
}
