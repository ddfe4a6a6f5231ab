using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>
/// Looks whether PDI can be used, and adds what this replica has counted to the day's counts of all, once a minute and at its end. Never on
/// the path of a sale. A replica that is killed loses its last minute; while the database is away the counts wait, and go to the day on
/// which they are written.
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
                // A process that stood still has seen nothing meanwhile.
                var since = TimeSpan.FromTicks(Math.Min(clock.GetElapsedTime(lookedAt).Ticks, 2 * limits.LookEvery.Ticks));
                lookedAt = clock.GetTimestamp();
                // Half-open is not away: nobody has called since the probe was due, and a night without sales is no outage.
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
            // If the answer was lost, a minute counts twice: the shares stay nearly the same.
            counts.GiveBack(taken);
            Log.CountsWait(logger, unusable.Message);
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception defect)
        {
            // Counts are not worth the end of the service.
            counts.GiveBack(taken);
            Log.CountsBroke(logger, defect);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "DailyCountsWait", Level = LogLevel.Debug, Message = "The day's counts could not be written: {reason}")]
        public static partial void CountsWait(ILogger logger, string reason);

        [LoggerMessage(EventName = "DailyCountsBroke", Level = LogLevel.Error, Message = "Defect while writing the day's counts, which wait")]
        public static partial void CountsBroke(ILogger logger, Exception exception);
    }
}
