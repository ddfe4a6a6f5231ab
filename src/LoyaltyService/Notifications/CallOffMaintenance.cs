using LoyaltyService.Http;
using LoyaltyService.Security;

namespace LoyaltyService.Notifications;

/// <summary>
/// Calls off database maintenance and notifies the same recipients. Idempotent: a repeat returns the same window, completes what a failed
/// call left undone, and does nothing twice.
/// </summary>
internal sealed partial class CallOffMaintenance(
    IMaintenanceStore windows, Notifier notifier, AuditTrail audit, TimeProvider clock, ILogger<CallOffMaintenance> logger)
{
    public static readonly AuditAction Action = new("maintenance.call-off");

    public async Task<Answer<MaintenanceItem>> RunAsync(string? id, Operator by, CancellationToken cancellationToken)
    {
        var known = Guid.TryParseExact(id, "N", out var parsed) ? await windows.FindAsync(parsed, cancellationToken) : null;
        var hours = known is null ? null : AnnounceMaintenance.Hours(known);
        var calledOff = known is { CalledOffAt: not null } && known.EndsAt > clock.GetUtcNow() ? known : null;
        if (known is null
            || (calledOff ?? await windows.CallOffAsync(known.Id, new AuditEntry(by, Action, hours), cancellationToken)) is not { } window)
        {
            return await audit.RefusedAsync(
                new AuditEntry(by, Action, id),
                new Rejection(HttpErrors.NotFound, "There is no window with this id, or it has ended."));
        }

        await notifier.CallOffAsync(AnnounceMaintenance.ReminderKey(window), cancellationToken);
        await notifier.TellAsync(
            new Notification($"maintenance {window.Id:N} called off", $"database maintenance called off, {hours}", $"{by.Client} called off the announced maintenance: {window.Reason}"),
            cancellationToken);
        Log.CalledOff(logger, hours!, by.Client);
        return Answer<MaintenanceItem>.Of(StatusCodes.Status200OK, MaintenanceItem.Of(window), NotificationsJson.Wire.MaintenanceItem);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "MaintenanceCalledOff", Level = LogLevel.Information, Message = "Database maintenance called off: {hours} by {client}")]
        public static partial void CalledOff(ILogger logger, string hours, string client);
    }
}
