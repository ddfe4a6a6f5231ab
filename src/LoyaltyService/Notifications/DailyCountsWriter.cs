using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>
/// Samples PDI's availability, and adds this replica's counts to the day's totals once a minute and at shutdown. Never on the path of a sale. A
/// killed replica loses its last minute. While the database is down the counts wait, and are added to the day on which they are written.
/// </summary>
internal sealed partial class DailyCountsWriter(
    DailyCounts counts, PdiHealth pdi, ISummaryStore store, NotificationLimits limits, TimeProvider clock, ILogger<DailyCountsWriter> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(limits.LookEvery, clock);
        var lookedAt = clock.GetTimestamp();
        var writtenAt = lookedAt;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                // A suspended process has observed nothing meanwhile.
                var since = TimeSpan.FromTicks(Math.Min(clock.GetElapsedTime(lookedAt).Ticks, 2 * limits.LookEvery.Ticks));
                lookedAt = clock.GetTimestamp();
                // Half-open is not down: no call has come since the probe was due, and a night without sales is no outage.
                counts.PdiLookedAt(since, away: pdi.Breaker is BreakerState.Open);
                if (clock.GetElapsedTime(writtenAt) < limits.WriteEvery)
                    continue;
                writtenAt = lookedAt;
                await WriteAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await WriteAsync(CancellationToken.None);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var taken = counts.Take();
        try
        {
            if (taken.Count > 0)
                await store.AddCountsAsync(taken, cancellationToken);
        }
        catch (Exception unusable) when (unusable is DatabaseUnavailableException or OverloadedException or OperationCanceledException)
        {
            // If only the response was lost, a minute counts twice. The percentages stay nearly the same.
            counts.GiveBack(taken);
            Log.CountsWait(logger, unusable.Message);
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception defect)
        {
            // Counts are not worth a crash.
            counts.GiveBack(taken);
            Log.CountsBroke(logger, defect);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "DailyCountsWait", Level = LogLevel.Debug, Message = "Daily counts not written; will retry: {reason}")]
        public static partial void CountsWait(ILogger logger, string reason);

        [LoggerMessage(EventName = "DailyCountsBroke", Level = LogLevel.Error, Message = "Writing the daily counts failed; will retry")]
        public static partial void CountsBroke(ILogger logger, Exception exception);
    }
}
