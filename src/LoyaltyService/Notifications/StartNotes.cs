using System.Globalization;
using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>
/// brief: notify of new deployments and configuration changes. Compares this start with the last one of any replica. If several replicas start
/// at once, one notifies. If the old version starts again during a rolling update, that is news too.
/// </summary>
internal sealed partial class StartNotes(
    INotificationStore store, Notifier notifier, Settings settings, NotificationLimits limits, TimeProvider clock, ILogger<StartNotes> logger)
    : BackgroundService
{
    // May differ between replicas.
    private static readonly string[] NotShared = [nameof(Settings.Port)];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await NoteAsync("version", Release.Full, OfVersion, stoppingToken);
                await NoteAsync("configuration", Shown(settings), OfConfiguration, stoppingToken);
                return;
            }
            catch (Exception unusable) when (unusable is DatabaseUnavailableException or OverloadedException)
            {
                // Startup does not wait for notifications.
                await Task.Delay(limits.Poll, clock, stoppingToken);
            }
            catch (Exception defect) when (!stoppingToken.IsCancellationRequested)
            {
                // Notifications are not worth a crash.
                Log.NotesBroke(logger, defect);
                await Task.Delay(limits.Poll, clock, stoppingToken);
            }
        }
    }

    /// <summary>The settings to compare: one per line, without secrets.</summary>
    internal static string Shown(Settings settings) =>
        string.Join('\n', settings.Shown().Where(setting => !NotShared.Contains(setting.Name)).Select(setting => $"{setting.Name} = {setting.Value}"));

    /// <summary>The changed settings, one per line, with the old and the new value.</summary>
    internal static string Differences(string before, string now)
    {
        var old = before.Split('\n').Select(line => line.Split(" = ", 2)).ToDictionary(line => line[0], line => line.ElementAtOrDefault(1));
        var changed = now.Split('\n').Select(line => line.Split(" = ", 2)).Where(line => old.GetValueOrDefault(line[0]) != line[1]);
        return string.Join('\n', changed.Select(line => $"{line[0]}: {old.GetValueOrDefault(line[0]) ?? "(not known)"} -> {line[1]}"));
    }

    /// <summary>Queues the mail first. If the process then crashes, the next start finds the same change, and the key prevents a duplicate.</summary>
    private async Task NoteAsync(string what, string now, Func<KnownValue?, string, Notification?> tell, CancellationToken cancellationToken)
    {
        var before = await store.KnownAsync(what, cancellationToken);
        if (before?.Value == now)
            return;
        var notification = tell(before, $"{what} {before?.NotedAt.ToString("O", CultureInfo.InvariantCulture) ?? "first"}");
        if (notification is not null)
            await notifier.TellAsync(notification, cancellationToken);
        if (await store.NoteAsync(what, before, now, cancellationToken) && notification is not null)
            Log.StartedOtherwise(logger, notification.Subject);
    }

    private static Notification OfVersion(KnownValue? before, string key) => new(
        key,
        $"new deployment, {Release.Full}",
        before is null
            ? $"Version {Release.Full} started, as the first on this database."
            : $"Version {Release.Full} started. The previous start was version {before.Value}.");

    private Notification? OfConfiguration(KnownValue? before, string key) => before is null ? null : new(
        key,
        "the configuration has changed",
        $"A replica started with different settings from the previous start. Secrets are not compared.\n\n{Differences(before.Value, Shown(settings))}");

    private static partial class Log
    {
        [LoggerMessage(EventName = "StartedOtherwise", Level = LogLevel.Information, Message = "This start differs from the previous one: {news}")]
        public static partial void StartedOtherwise(ILogger logger, string news);

        [LoggerMessage(EventName = "StartNotesBroke", Level = LogLevel.Error, Message = "Comparing this start with the previous one failed; will retry")]
        public static partial void NotesBroke(ILogger logger, Exception exception);
    }
}
