using LoyaltyService.Security;

namespace LoyaltyService.Notifications;

/// <summary>Work on the database that was announced: PostgreSQL or SQLite, held to the same contract tests.</summary>
/// <remarks>Every method throws <see cref="Storage.DatabaseUnavailableException"/> or <see cref="Storage.OverloadedException"/> when the database cannot be used.</remarks>
internal interface IMaintenanceStore
{
    /// <summary>Announces a window, with the audit; the one that is there already if the same hours were announced before.</summary>
    Task<MaintenanceWindow> AddAsync(MaintenanceWindow window, AuditEntry audit, CancellationToken cancellationToken);

    /// <summary>Also one that is over, or called off.</summary>
    Task<MaintenanceWindow?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Those that are not over, the next one first.</summary>
    Task<IReadOnlyList<MaintenanceWindow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Calls a window off, with the audit; null if there is none of this id that is neither over nor called off.</summary>
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
