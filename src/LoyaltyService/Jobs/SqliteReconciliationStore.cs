using System.Globalization;
using LoyaltyService.Http;
using LoyaltyService.Security;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Jobs;

/// <summary>The reconciliation's tables in one SQLite file: as <see cref="PostgresReconciliationStore"/>.</summary>
internal sealed class SqliteReconciliationStore(SqliteDatabase database) : IReconciliationStore
{
    private const string Now = SqliteValues.Now;

    private const string LastDay = "select day, checked, found, finished_at from reconciliation_runs order by day desc limit 1";

    private const string Page = $"""
        select {SqliteSessionRow.Columns},
               pdi_session_id is not null
               and (status = 'finalizing' or coalesce(coalesce(finalized_at, failed_at) >= $day and coalesce(finalized_at, failed_at) < $day + 86400000, 0)) as is_due
          from sessions
         where (expires_at, id) > ($expires_at, $id) and expires_at <= $until
         order by expires_at, id
         limit $limit
        """;

    private const string Add = $"""
        insert into reconciliation_findings (id, day, session_id, kind, here, at_pdi, found_at)
        values ($id, $day, $session_id, $kind, $here, $at_pdi, {Now})
        on conflict (session_id, kind) where resolved_at is null do nothing
        """;

    private const string EndDay = $"""
        insert into reconciliation_runs (day, checked, found, finished_at) values ($day, $checked, $found, {Now})
        on conflict (day) do update set checked = excluded.checked, found = excluded.found, finished_at = excluded.finished_at
        """;

    private const string Columns = "id, day, session_id, kind, here, at_pdi, found_at, resolved_at, resolved_by, resolution";

    private const string List = $"""
        select {Columns} from reconciliation_findings
         where (found_at, id) < ($after, $after_id) and ($resolved is null or (resolved_at is not null) = $resolved)
         order by found_at desc, id desc
         limit $limit
        """;

    private const string Resolve = $"""
        update reconciliation_findings set resolved_at = {Now}, resolved_by = $by, resolution = $resolution
         where id = $id and resolved_at is null
        returning {Columns}
        """;

    public Task<ReconciledDay?> LastDayAsync(CancellationToken cancellationToken) => database.ReadAsync(connection =>
    {
        using var last = connection.Command(LastDay);
        return last.First(static row => new ReconciledDay(DayAt(row, 0), row.GetInt64(1), row.GetInt64(2), row.TimeAt(3)));
    }, cancellationToken);

    public Task<ReconciliationPage> PageAsync(
        DateOnly day, WalkPosition after, DateTimeOffset until, int limit, CancellationToken cancellationToken) => database.ReadAsync(connection =>
        {
            using var page = connection.Command(
                Page,
                ("$expires_at", after.At.ToUnixTimeMilliseconds()), ("$id", after.Id.ToBlob()), ("$until", until.ToUnixTimeMilliseconds()),
                ("$day", new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeMilliseconds()), ("$limit", limit));
            var rows = page.All(static row => (Session: SqliteSessionRow.Read(row), IsDue: row.GetBoolean(row.FieldCount - 1)));
            return new ReconciliationPage(
                [.. rows.Where(row => row.IsDue).Select(row => row.Session)],
                rows is [.., var last] ? new WalkPosition(last.Session.ExpiresAt, last.Session.Id) : null);
        }, cancellationToken);

    public Task<bool> AddAsync(Finding finding, CancellationToken cancellationToken) => database.WriteAsync(connection => connection.Execute(
        Add,
        ("$id", finding.Id.ToBlob()), ("$day", TextOf(finding.Day)), ("$session_id", finding.SessionId.ToBlob()), ("$kind", finding.Kind),
        ("$here", finding.Here), ("$at_pdi", finding.AtPdi)) == 1, cancellationToken);

    public Task EndDayAsync(ReconciledDay day, CancellationToken cancellationToken) => database.WriteAsync(connection => connection.Execute(
        EndDay, ("$day", TextOf(day.Day)), ("$checked", day.Checked), ("$found", day.Found)), cancellationToken);

    public Task<IReadOnlyList<Finding>> ListAsync(int limit, PageCursor? after, bool? resolved, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var list = connection.Command(
                List,
                ("$limit", limit), ("$after", (after?.At ?? DateTimeOffset.MaxValue).ToUnixTimeMilliseconds()),
                ("$after_id", (after?.Id ?? Guid.AllBitsSet).ToBlob()), ("$resolved", resolved));
            return list.All(ReadFinding);
        }, cancellationToken);

    public Task<Finding?> ResolveAsync(Guid id, string resolution, AuditEntry audit, CancellationToken cancellationToken) => database.WriteAsync(connection =>
    {
        using var resolve = connection.Command(Resolve, ("$id", id.ToBlob()), ("$by", audit.By.Client), ("$resolution", resolution));
        var resolved = resolve.First(ReadFinding);
        if (resolved is not null)
            SqliteAuditStore.Write(connection, audit);
        return resolved;
    }, cancellationToken);

    private static string TextOf(DateOnly day) => day.ToString("O", CultureInfo.InvariantCulture);

    private static DateOnly DayAt(SqliteDataReader row, int column) => DateOnly.ParseExact(row.GetString(column), "O", CultureInfo.InvariantCulture);

    private static Finding ReadFinding(SqliteDataReader row) => new(
        row.GuidAt(0), DayAt(row, 1), row.GuidAt(2), row.GetString(3), row.GetString(4), row.GetString(5), row.TimeAt(6), row.TimeOrNull(7),
        row.StringOrNull(8), row.StringOrNull(9));
}
