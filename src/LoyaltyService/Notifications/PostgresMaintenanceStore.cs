using LoyaltyService.Security;
using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Notifications;

/// <summary><c>maintenance_windows</c> in PostgreSQL.</summary>
internal sealed class PostgresMaintenanceStore(PostgresDatabase database) : IMaintenanceStore
{
    private const string Columns = "id, starts_at, ends_at, reason, announced_by, announced_at, called_off_at";

    // The update changes nothing. It makes "returning" return the existing row.
    private static readonly string Add = $"""
        with announced as (
            insert into maintenance_windows as known (id, starts_at, ends_at, reason, announced_by, announced_at) values ($1, $2, $3, $4, $5, now())
            on conflict (starts_at, ends_at) where called_off_at is null do update set reason = known.reason
            returning {Columns}),
        audited as ({PostgresAuditStore.InsertOf("$6")} from announced)
        select * from announced
        """;

    private const string Find = $"select {Columns} from maintenance_windows where id = $1";

    private const string List = $"select {Columns} from maintenance_windows where ends_at > now() order by starts_at, id limit 200";

    private static readonly string CallOff = $"""
        with called_off as (
            update maintenance_windows set called_off_at = now() where id = $1 and called_off_at is null and ends_at > now()
            returning {Columns}),
        audited as ({PostgresAuditStore.InsertOf("$2")} from called_off)
        select * from called_off
        """;

    public async Task<MaintenanceWindow> AddAsync(MaintenanceWindow window, AuditEntry audit, CancellationToken cancellationToken) => (await database.QueryAsync(
        Add,
        [
            Param.Of(window.Id), Param.Of(window.StartsAt), Param.Of(window.EndsAt), Param.Of(window.Reason), Param.Of(window.AnnouncedBy),
            PostgresAuditStore.ParamOf(audit),
        ],
        Read,
        cancellationToken))!;

    public async Task<MaintenanceWindow?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        (await database.ListReadCommittedAsync(Find, [Param.Of(id)], Read, cancellationToken)).SingleOrDefault();

    public Task<IReadOnlyList<MaintenanceWindow>> ListAsync(CancellationToken cancellationToken) =>
        database.ListReadCommittedAsync(List, [], Read, cancellationToken);

    public Task<MaintenanceWindow?> CallOffAsync(Guid id, AuditEntry audit, CancellationToken cancellationToken) =>
        database.QueryAsync(CallOff, [Param.Of(id), PostgresAuditStore.ParamOf(audit)], Read, cancellationToken);

    private static MaintenanceWindow Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetFieldValue<DateTimeOffset>(1), row.GetFieldValue<DateTimeOffset>(2), row.GetString(3), row.GetString(4),
        row.GetFieldValue<DateTimeOffset>(5), row.TimeOrNull(6));
}
