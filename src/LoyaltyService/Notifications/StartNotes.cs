using System.Globalization;
using LoyaltyService.Configuration;
using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>
/// brief: tell of new deployments and of changes of the configuration. Compares this start with the last one of any replica. Of replicas
/// that start at once one tells; a replica of the version before that starts again meanwhile is told of too, because it is news.
/// </summary>
internal sealed partial class StartNotes(
    INotificationStore store, Notifier notifier, Settings settings, NotificationLimits limits, TimeProvider clock, ILogger<StartNotes> logger)
    : BackgroundService
{
    // Each replica's own affair.
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
                // The start waits for nobody's news.
                await Task.Delay(limits.Poll, clock, stoppingToken);
            }
            catch (Exception defect) when (!stoppingToken.IsCancellationRequested)
            {
                // Nor is it worth the end of the service.
                Log.NotesBroke(logger, defect);
                await Task.Delay(limits.Poll, clock, stoppingToken);
            }
        }
    }

    /// <summary>The settings as they are compared: a line each, without secrets.</summary>
    internal static string Shown(Settings settings) =>
        string.Join('\n', settings.Shown().Where(setting => !NotShared.Contains(setting.Name)).Select(setting => $"{setting.Name} = {setting.Value}"));

    /// <summary>What differs, a line each, the old value and the new one.</summary>
    internal static string Differences(string before, string now)
    {
        var old = before.Split('\n').Select(line => line.Split(" = ", 2)).ToDictionary(line => line[0], line => line.ElementAtOrDefault(1));
        var changed = now.Split('\n').Select(line => line.Split(" = ", 2)).Where(line => old.GetValueOrDefault(line[0]) != line[1]);
        return string.Join('\n', changed.Select(line => $"{line[0]}: {old.GetValueOrDefault(line[0]) ?? "(not known)"} -> {line[1]}"));
    }

    /// <summary>The mail first: if the process dies between the two, the next start finds the same again, and the mail's key is known.</summary>
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
            ? $"Version {Release.Full} has started, the first one on this database."
            : $"Version {Release.Full} has started. The last start was of version {before.Value}.");

    private Notification? OfConfiguration(KnownValue? before, string key) => before is null ? null : new(
        key,
        "the configuration has changed",
        $"A replica has started with other settings than the one before it. Secrets are not compared.\n\n{Differences(before.Value, Shown(settings))}");

    private static partial class Log
    {
        [LoggerMessage(EventName = "StartedOtherwise", Level = LogLevel.Information, Message = "Started otherwise than the last time: {news}")]
        public static partial void StartedOtherwise(ILogger logger, string news);

        [LoggerMessage(EventName = "StartNotesBroke", Level = LogLevel.Error, Message = "Defect while comparing this start with the last one")]
        public static partial void NotesBroke(ILogger logger, Exception exception);
    }
}
