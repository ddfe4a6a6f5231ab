using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Http;
using LoyaltyService.Security;

namespace LoyaltyService.Notifications;

/// <summary>Announces database maintenance.</summary>
/// <param name="From">When it begins: ISO 8601 with <c>Z</c> or an offset.</param>
/// <param name="Until">When it ends, at most seven days later.</param>
/// <param name="Reason">The work and what to expect: 1 to 200 characters, none of them a control character.</param>
internal sealed record MaintenanceRequest(string? From, string? Until, string? Reason) : IRequestBody<MaintenanceRequest>
{
    public static JsonTypeInfo<MaintenanceRequest> Json => NotificationsJson.Wire.MaintenanceRequest;

    public const int MaxReasonLength = 200;

    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    // Methods, because properties would be members of the body.
    public DateTimeOffset? StartsAt() => Parse(From);

    public DateTimeOffset? EndsAt() => Parse(Until);

    public void Validate(ICollection<FieldError> errors)
    {
        CheckTime("from", From, StartsAt(), errors);
        CheckTime("until", Until, EndsAt(), errors);
        if (StartsAt() is { } start && EndsAt() is { } end && (end <= start || end - start > Longest))
            errors.Add(new FieldError("until", "must be after from, by at most seven days."));
        if (string.IsNullOrWhiteSpace(Reason) || Reason.Length > MaxReasonLength || Reason.Any(char.IsControl))
            errors.Add(new FieldError("reason", $"must be 1 to {MaxReasonLength} characters, none of them a control character."));
    }

    public Guid ToFingerprint()
    {
        var fingerprint = new Fingerprint("maintenance");
        fingerprint.Add(StartsAt()?.UtcTicks ?? 0);
        fingerprint.Add(EndsAt()?.UtcTicks ?? 0);
        fingerprint.Add(Reason);
        return fingerprint.ToGuid();
    }

    private static void CheckTime(string field, string? text, DateTimeOffset? time, ICollection<FieldError> errors)
    {
        if (time is null)
            errors.Add(new FieldError(field, string.IsNullOrEmpty(text) ? "is required." : "must be a time such as 2025-03-16T14:30:00Z or 2025-03-16T09:30:00-05:00."));
    }

    // A time without Z or an offset is ambiguous.
    private static DateTimeOffset? Parse(string? text) =>
        text is { Length: > 16 } && DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var time)
        && (text.EndsWith('Z') || text[^6] is '+' or '-')
            ? time
            : null;
}

/// <summary>
/// Announces database maintenance and notifies the operators: now, and shortly before it begins. Announcing the same hours again returns
/// the same window, so a request without a response may be repeated.
/// </summary>
internal sealed partial class AnnounceMaintenance(
    IMaintenanceStore windows, Notifier notifier, NotificationLimits limits, TimeProvider clock, ILogger<AnnounceMaintenance> logger)
{
    public static readonly AuditAction Action = new("maintenance.announce");

    public async Task<Answer<MaintenanceItem>> RunAsync(MaintenanceRequest request, Operator by, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (request.EndsAt() <= now)
            return Rejection.Validation([new FieldError("until", "must be in the future.")]);

        var asked = new MaintenanceWindow(Guid.NewGuid(), request.StartsAt()!.Value, request.EndsAt()!.Value, request.Reason!, by.Client);
        var window = await windows.AddAsync(
            asked, new AuditEntry(by, Action, Hours(asked), Detail: request.Reason), cancellationToken);
        await notifier.TellAsync(new Notification($"maintenance {window.Id:N}", $"database maintenance {Hours(window)}", Text(window)), cancellationToken);
        var reminder = window.StartsAt - limits.RemindBefore;
        if (reminder > now)
        {
            await notifier.TellAsync(
                new Notification(ReminderKey(window), $"database maintenance begins soon, {Hours(window)}", Text(window), DueAt: reminder), cancellationToken);
        }

        Log.Announced(logger, Hours(window), window.AnnouncedBy, window.Reason);
        return Answer<MaintenanceItem>.Of(StatusCodes.Status200OK, MaintenanceItem.Of(window), NotificationsJson.Wire.MaintenanceItem);
    }

    internal static string ReminderKey(MaintenanceWindow window) => $"maintenance {window.Id:N} begins";

    internal static string Hours(MaintenanceWindow window) =>
        string.Create(CultureInfo.InvariantCulture, $"{window.StartsAt.UtcDateTime:yyyy-MM-dd HH:mm} to {window.EndsAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC");

    private static string Text(MaintenanceWindow window) =>
        $"{window.AnnouncedBy} announced database maintenance from {Hours(window)}: {window.Reason}\n\n"
        + "While the database is unavailable, calls from tills return 503 and the alert LoyaltyDatabaseUnavailable fires. Accepted sales are kept.";

    private static partial class Log
    {
        [LoggerMessage(EventName = "MaintenanceAnnounced", Level = LogLevel.Information, Message = "Database maintenance announced: {hours} by {client}: {reason}")]
        public static partial void Announced(ILogger logger, string hours, string client, string reason);
    }
}
