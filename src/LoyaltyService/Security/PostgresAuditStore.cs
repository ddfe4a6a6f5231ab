using LoyaltyService.Http;
using LoyaltyService.Storage;
using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Security;

/// <summary><c>audit</c> in PostgreSQL.</summary>
internal sealed class PostgresAuditStore(PostgresDatabase database) : IAuditStore
{
    private const string Columns = "id, at, client, subject, source, action, target, outcome, detail, trace_id";

    private static readonly string Write = InsertOf("$1");

    private const string List = $"""
        select {Columns} from audit
         where (at, id) < ($2, $3) and ($4 is null or client = $4) and ($5 is null or action = $5)
         order by at desc, id desc
         limit $1
        """;

    private const string Forget = "delete from audit where id in (select id from audit where at < now() - $1 order by at limit $2)";

    /// <summary>
    /// For a statement that performs the audited action: inserts the entry that <see cref="ParamOf"/> passes. It is a single parameter, because those
    /// statements number theirs. Append a from clause that yields a row only if the action was done.
    /// </summary>
    public static string InsertOf(string parameter) => $"""
        insert into audit ({Columns})
        select {parameter}[1]::uuid, now(), {parameter}[2], {parameter}[3], {parameter}[4], {parameter}[5], {parameter}[6], {parameter}[7], {parameter}[8], {parameter}[9]
        """;

    public static NpgsqlParameter ParamOf(AuditEntry? entry) => new NpgsqlParameter<string?[]?>
    {
        TypedValue = entry is null
            ? null
            :
            [
                entry.Id.ToString(), entry.By.Client, entry.By.Subject, entry.By.Source, entry.Action.Name, entry.Target, entry.Outcome, entry.Detail,
                entry.TraceId,
            ],
        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
    };

    public Task WriteAsync(AuditEntry entry, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Write, [ParamOf(entry)], cancellationToken);

    public Task<IReadOnlyList<AuditRow>> ListAsync(
        int limit, PageCursor? after, string? client, string? action, CancellationToken cancellationToken) => database.ListReadCommittedAsync(
        List,
        [
            Param.Of(limit), Param.Of(after?.At ?? DateTimeOffset.MaxValue), Param.Of(after?.Id ?? Guid.AllBitsSet), Param.Of(client), Param.Of(action),
        ],
        static row => new AuditRow(
            row.GetGuid(0),
            new AuditItem(
                row.GetFieldValue<DateTimeOffset>(1), row.GetString(2), row.StringOrNull(3), row.GetString(4), row.GetString(5), row.StringOrNull(6),
                row.GetString(7), row.StringOrNull(8), row.StringOrNull(9))),
        cancellationToken);

    public Task<int> ForgetAsync(TimeSpan keep, int limit, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Forget, [Param.Of(keep), Param.Of(limit)], cancellationToken);
}
