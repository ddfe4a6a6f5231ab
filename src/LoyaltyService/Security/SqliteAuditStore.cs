using LoyaltyService.Http;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Security;

/// <summary><c>audit</c> in SQLite, like <see cref="PostgresAuditStore"/>.</summary>
internal sealed class SqliteAuditStore(SqliteDatabase database) : IAuditStore
{
    private const string Now = SqliteValues.Now;

    private const string Columns = "id, at, client, subject, source, action, target, outcome, detail, trace_id";

    private const string Insert = $"""
        insert into audit ({Columns})
        values ($id, {Now}, $client, $subject, $source, $action, $target, $outcome, $detail, $trace_id)
        """;

    private const string List = $"""
        select {Columns} from audit
         where (at, id) < ($after, $after_id) and ($client is null or client = $client) and ($action is null or action = $action)
         order by at desc, id desc
         limit $limit
        """;

    private const string Forget = $"delete from audit where id in (select id from audit where at < {Now} - $keep order by at limit $limit)";

    /// <summary>Audits an action in its own transaction.</summary>
    public static void Write(SqliteConnection connection, AuditEntry entry) => connection.Execute(
        Insert,
        ("$id", entry.Id.ToBlob()), ("$client", entry.By.Client), ("$subject", entry.By.Subject), ("$source", entry.By.Source),
        ("$action", entry.Action.Name), ("$target", entry.Target), ("$outcome", entry.Outcome), ("$detail", entry.Detail), ("$trace_id", entry.TraceId));

    public Task WriteAsync(AuditEntry entry, CancellationToken cancellationToken) => database.WriteAsync(connection =>
    {
        Write(connection, entry);
        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<AuditRow>> ListAsync(
        int limit, PageCursor? after, string? client, string? action, CancellationToken cancellationToken) => database.ReadAsync(connection =>
        {
            using var list = connection.Command(
                List,
                ("$limit", limit), ("$after", (after?.At ?? DateTimeOffset.MaxValue).ToUnixTimeMilliseconds()),
                ("$after_id", (after?.Id ?? Guid.AllBitsSet).ToBlob()), ("$client", client), ("$action", action));
            return list.All(static row => new AuditRow(
                row.GuidAt(0),
                new AuditItem(
                    row.TimeAt(1), row.GetString(2), row.StringOrNull(3), row.GetString(4), row.GetString(5), row.StringOrNull(6), row.GetString(7),
                    row.StringOrNull(8), row.StringOrNull(9))));
        }, cancellationToken);

    public Task<int> ForgetAsync(TimeSpan keep, int limit, CancellationToken cancellationToken) => database.WriteAsync(
        connection => connection.Execute(Forget, ("$keep", keep.ToMilliseconds()), ("$limit", limit)), cancellationToken);
}
