using LoyaltyService.Http;
using LoyaltyService.Security;

namespace LoyaltyService.Notifications;

/// <summary>
/// The work on the database does not take place, and those who were told of it are told so. Called off again it is the same window,
/// so that a request without an answer may be repeated: what it left undone is done by the repeat, and what it has done is not done twice.
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
                new Rejection(HttpErrors.NotFound, "There is no window with this id that is not over."));
        }

        await notifier.CallOffAsync(AnnounceMaintenance.ReminderKey(window), cancellationToken);
        await notifier.TellAsync(
            new Notification($"maintenance {window.Id:N} called off", $"database maintenance called off, {hours}", $"{by.Client} has called it off: {window.Reason}"),
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
