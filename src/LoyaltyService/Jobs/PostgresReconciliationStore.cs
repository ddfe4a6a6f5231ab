using LoyaltyService.Http;
using LoyaltyService.Security;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Jobs;

/// <summary>The reconciliation's tables in PostgreSQL.</summary>
internal sealed class PostgresReconciliationStore(PostgresDatabase database) : IReconciliationStore
{
    private const string LastDay = "select day, checked, found, finished_at from reconciliation_runs order by day desc limit 1";

    internal const string Walk = """
        select id, expires_at,
               pdi_session_id is not null
               and (status = 'finalizing' or coalesce(coalesce(finalized_at, failed_at) >= $3 and coalesce(finalized_at, failed_at) < $3 + interval '1 day', false)) as is_due
          from sessions
         where (expires_at, id) > ($1, $2) and expires_at <= $4
         order by expires_at, id
         limit $5
        """;

    private const string Find = $"select {PostgresSessionRow.Columns} from sessions where id = any ($1)";

    private const string Add = """
        insert into reconciliation_findings (id, day, session_id, kind, here, at_pdi, found_at) values ($1, $2, $3, $4, $5, $6, now())
        on conflict (session_id, kind) where resolved_at is null do nothing
        """;

    private const string EndDay = """
        insert into reconciliation_runs (day, checked, found, finished_at) values ($1, $2, $3, now())
        on conflict (day) do update set checked = excluded.checked, found = excluded.found, finished_at = excluded.finished_at
        """;

    private const string Columns = "id, day, session_id, kind, here, at_pdi, found_at, resolved_at, resolved_by, resolution";

    private const string List = $"""
        select {Columns} from reconciliation_findings
         where (found_at, id) < ($2, $3) and ($4 is null or (resolved_at is not null) = $4)
         order by found_at desc, id desc
         limit $1
        """;

    private static readonly string Resolve = $"""
        with resolved as (
            update reconciliation_findings set resolved_at = now(), resolved_by = $2, resolution = $3
             where id = $1 and resolved_at is null
            returning {Columns}),
        audited as ({PostgresAuditStore.InsertOf("$4")} from resolved)
        select {Columns} from resolved
        """;

    public async Task<ReconciledDay?> LastDayAsync(CancellationToken cancellationToken) => (await database.ListReadCommittedAsync(
        LastDay, [],
        static row => new ReconciledDay(row.GetFieldValue<DateOnly>(0), row.GetInt64(1), row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3)),
        cancellationToken)) is [var day] ? day : null;

    public async Task<ReconciliationPage> PageAsync(
        DateOnly day, WalkPosition after, DateTimeOffset until, int limit, CancellationToken cancellationToken)
    {
        var rows = await database.ListReadCommittedAsync(
            Walk,
            [Param.Of(after.At), Param.Of(after.Id), Param.Of(StartOf(day)), Param.Of(until), Param.Of(limit)],
            static row => (Position: new WalkPosition(row.GetFieldValue<DateTimeOffset>(1), row.GetGuid(0)), IsDue: row.GetBoolean(2)), cancellationToken);
        if (rows is not [.., var last])
            return new ReconciliationPage([], null);

        var due = rows.Where(row => row.IsDue).Select(row => row.Position.Id).ToArray();
        var ids = new NpgsqlParameter<Guid[]> { TypedValue = due, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };
        var found = due is [] ? [] : await database.ListReadCommittedAsync(Find, [ids], PostgresSessionRow.Read, cancellationToken);
        // In the order of the walk, so that each is a position in it.
        return new ReconciliationPage([.. found.OrderBy(session => Array.IndexOf(due, session.Id))], last.Position);
    }

    public async Task<bool> AddAsync(Finding finding, CancellationToken cancellationToken) => await database.ExecuteAsync(
        Add,
        [
            Param.Of(finding.Id), OfDay(finding.Day), Param.Of(finding.SessionId), Param.Of(finding.Kind), Param.Of(finding.Here), Param.Of(finding.AtPdi),
        ],
        cancellationToken) == 1;

    public Task EndDayAsync(ReconciledDay day, CancellationToken cancellationToken) =>
        database.ExecuteAsync(EndDay, [OfDay(day.Day), Param.Of(day.Checked), Param.Of(day.Found)], cancellationToken);

    public Task<IReadOnlyList<Finding>> ListAsync(int limit, PageCursor? after, bool? resolved, CancellationToken cancellationToken) => database.ListReadCommittedAsync(
        List, [Param.Of(limit), Param.Of(after?.At ?? DateTimeOffset.MaxValue), Param.Of(after?.Id ?? Guid.AllBitsSet), Param.Of(resolved)], ReadFinding, cancellationToken);

    public Task<Finding?> ResolveAsync(Guid id, string resolution, AuditEntry audit, CancellationToken cancellationToken) =>
        database.QueryAsync(Resolve, [Param.Of(id), Param.Of(audit.By.Client), Param.Of(resolution), PostgresAuditStore.ParamOf(audit)], ReadFinding, cancellationToken);

    private static DateTimeOffset StartOf(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);

    private static NpgsqlParameter<DateOnly> OfDay(DateOnly day) => new() { TypedValue = day, NpgsqlDbType = NpgsqlDbType.Date };

    private static Finding ReadFinding(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetFieldValue<DateOnly>(1), row.GetGuid(2), row.GetString(3), row.GetString(4), row.GetString(5),
        row.GetFieldValue<DateTimeOffset>(6), row.TimeOrNull(7), row.StringOrNull(8), row.StringOrNull(9));
}
