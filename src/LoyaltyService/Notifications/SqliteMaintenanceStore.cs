using LoyaltyService.Security;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Notifications;

/// <summary>The statements of <see cref="PostgresMaintenanceStore"/> in SQLite's dialect.</summary>
internal sealed class SqliteMaintenanceStore(SqliteDatabase database) : IMaintenanceStore
{
    private const string Now = SqliteValues.Now;

    private const string Columns = "id, starts_at, ends_at, reason, announced_by, announced_at, called_off_at";

    private const string Add = $"""
        insert into maintenance_windows (id, starts_at, ends_at, reason, announced_by, announced_at)
        values ($id, $starts_at, $ends_at, $reason, $announced_by, {Now})
        on conflict (starts_at, ends_at) where called_off_at is null do update set reason = reason
        returning {Columns}
        """;

    private const string List = $"select {Columns} from maintenance_windows where ends_at > {Now} order by starts_at, id limit 200";

    private const string Find = $"select {Columns} from maintenance_windows where id = $id";

    private const string CallOff = $"""
        update maintenance_windows set called_off_at = {Now} where id = $id and called_off_at is null and ends_at > {Now}
        returning {Columns}
        """;

    public Task<MaintenanceWindow> AddAsync(MaintenanceWindow window, AuditEntry audit, CancellationToken cancellationToken) => database.WriteAsync(connection =>
    {
        using var add = connection.Command(
            Add, ("$id", window.Id.ToBlob()), ("$starts_at", window.StartsAt.ToUnixTimeMilliseconds()), ("$ends_at", window.EndsAt.ToUnixTimeMilliseconds()),
            ("$reason", window.Reason), ("$announced_by", window.AnnouncedBy));
        var announced = add.First(Read)!;
        SqliteAuditStore.Write(connection, audit);
        return announced;
    }, cancellationToken);

    public Task<MaintenanceWindow?> FindAsync(Guid id, CancellationToken cancellationToken) => database.ReadAsync(connection =>
    {
        using var find = connection.Command(Find, ("$id", id.ToBlob()));
        return find.First(Read);
    }, cancellationToken);

    public Task<IReadOnlyList<MaintenanceWindow>> ListAsync(CancellationToken cancellationToken) => database.ReadAsync(connection =>
    {
        using var list = connection.Command(List);
        return list.All(Read);
    }, cancellationToken);

    public Task<MaintenanceWindow?> CallOffAsync(Guid id, AuditEntry audit, CancellationToken cancellationToken) => database.WriteAsync(connection =>
    {
        using var callOff = connection.Command(CallOff, ("$id", id.ToBlob()));
        var calledOff = callOff.First(Read);
        if (calledOff is not null)
            SqliteAuditStore.Write(connection, audit);
        return calledOff;
    }, cancellationToken);

    private static MaintenanceWindow Read(SqliteDataReader row) => new(
        row.GuidAt(0), row.TimeAt(1), row.TimeAt(2), row.GetString(3), row.GetString(4), row.TimeAt(5), row.TimeOrNull(6));
}
