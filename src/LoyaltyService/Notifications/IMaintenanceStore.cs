using LoyaltyService.Security;

namespace LoyaltyService.Notifications;

/// <summary>Announced maintenance windows: PostgreSQL or SQLite, held to the same contract tests.</summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IMaintenanceStore
{
    /// <summary>Announces a window and audits it. Returns the existing window if the same hours were announced before.</summary>
    Task<MaintenanceWindow> AddAsync(MaintenanceWindow window, AuditEntry audit, CancellationToken cancellationToken);

    /// <summary>Also finds a window that has ended or was called off.</summary>
    Task<MaintenanceWindow?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Current and future windows, by start time.</summary>
    Task<IReadOnlyList<MaintenanceWindow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Calls a window off and audits it. Returns null if the window is unknown, has ended or was called off before.</summary>
    Task<MaintenanceWindow?> CallOffAsync(Guid id, AuditEntry audit, CancellationToken cancellationToken);
}

/// <param name="AnnouncedAt">Set by the store.</param>
internal sealed record MaintenanceWindow(
    Guid Id,
    DateTimeOffset StartsAt,
    DateTimeOffset EndsAt,
    string Reason,
    string AnnouncedBy,
    DateTimeOffset AnnouncedAt = default,
    DateTimeOffset? CalledOffAt = null);
