using LoyaltyService.Http;
using LoyaltyService.Security;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Queue;

/// <summary><c>pdi_work</c> in one SQLite file: the statements of <see cref="PostgresPdiWorkStore"/>, in SQLite's words.</summary>
internal sealed class SqlitePdiWorkStore(SqliteDatabase database) : IPdiWorkStore
{
    private const string Now = SqliteValues.Now;

    // A finalize whose request is calling PDI right now does not wait, and parked items wait for an operator.
    private const string IsWaiting = $"parked_at is null and (attempts > 0 or lease_until is null or lease_until <= {Now})";

    private const string Add = $"""
        insert into pdi_work (session_id, created_at, due_at)
        select $id, {Now}, {Now} where (select count(*) from pdi_work where session_id <> $id and {IsWaiting}) < $max_items
        on conflict (session_id) do update
           set due_at = excluded.due_at, parked_at = null,
               attempts = case when parked_at is null then attempts else 0 end,
               replayed_at = case when parked_at is null then replayed_at else excluded.created_at end
        """;

    private const string Release = "update sessions set busy_until = null where id = $id and version = $version and busy_until is not null";

    private const string HasRoom = $"select (select count(*) from pdi_work where session_id <> $id and {IsWaiting}) < $max_items";

    private const string Claim = $"""
        update pdi_work
           set lease_until = {Now} + $lease, fence = fence + 1, attempts = attempts + 1
         where session_id in (
            select session_id from pdi_work
             where due_at <= {Now} and parked_at is null and (lease_until is null or lease_until <= {Now})
             order by due_at
             limit $limit)
        returning session_id, fence, attempts, {Now} - coalesce(replayed_at, created_at)
        """;

    private const string PutBack = $"""
        update pdi_work
           set lease_until = null, last_error = $error,
               due_at = case when attempts = $attempts then {Now} + $pause else due_at end,
               parked_at = case when $park and attempts = $attempts then {Now} end,
               attempts = case when attempts = $attempts and not $counts then attempts - 1 else attempts end
         where session_id = $id and fence = $fence
        """;

    private const string Remove = "delete from pdi_work where session_id = $id and fence = $fence";

    private const string Hurry = $"""
        update pdi_work set due_at = {Now}
         where due_at > {Now} and parked_at is null and (lease_until is null or lease_until <= {Now})
        """;

    private const string Columns = $"""
        select work.session_id, session.status, session.customer_id, session.channel_id, session.transaction_id,
               work.created_at, work.due_at, work.lease_until is not null and work.lease_until > {Now}, work.attempts,
               work.parked_at, work.last_error
          from pdi_work as work join sessions as session on session.id = work.session_id
        """;

    private const string List = Columns + """

         where (work.created_at, work.session_id) > ($after_created_at, $after_id)
           and ($parked is null or (work.parked_at is not null) = $parked)
         order by work.created_at, work.session_id
         limit $limit
        """;

    private const string Find = Columns + "\n where work.session_id = $id";

    private const string Count = $"""
        select count(*) filter (where parked_at is null), count(*) filter (where parked_at is not null),
               coalesce({Now} - min(created_at), 0)
          from pdi_work
        """;

    private const string Replay = $"""
        update pdi_work set due_at = {Now}, attempts = 0, parked_at = null, replayed_at = {Now} where session_id = $id
        """;

    public Task<bool> TryAddAsync(Session session, int maxItems, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            connection.Execute(Release, ("$id", session.Id.ToBlob()), ("$version", session.Version));
            return connection.Execute(Add, ("$id", session.Id.ToBlob()), ("$max_items", maxItems)) == 1;
        }, cancellationToken);

    public Task<bool> HasRoomAsync(Guid sessionId, int maxItems, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var command = connection.Command(HasRoom, ("$id", sessionId.ToBlob()), ("$max_items", maxItems));
            return (long)command.ExecuteScalar()! == 1;
        }, cancellationToken);

    public Task<IReadOnlyList<PdiWorkItem>> ClaimAsync(int limit, TimeSpan lease, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            using var command = connection.Command(Claim, ("$limit", limit), ("$lease", lease.ToMilliseconds()));
            return command.All(static row => new PdiWorkItem(
                row.GuidAt(0), row.GetInt32(1), row.GetInt32(2), TimeSpan.FromMilliseconds(row.GetInt64(3))));
        }, cancellationToken);

    public Task<bool> PutBackAsync(PdiWorkItem item, TimeSpan pause, string error, bool counts, bool park, CancellationToken cancellationToken) =>
        ChangesOneAsync(PutBack, cancellationToken,
            ("$id", item.SessionId.ToBlob()), ("$fence", item.Fence), ("$pause", pause.ToMilliseconds()), ("$error", error), ("$park", park),
            ("$attempts", item.Attempts), ("$counts", counts));

    public Task<bool> RemoveAsync(PdiWorkItem item, CancellationToken cancellationToken) =>
        ChangesOneAsync(Remove, cancellationToken, ("$id", item.SessionId.ToBlob()), ("$fence", item.Fence));

    public Task HurryAsync(CancellationToken cancellationToken) => ChangesOneAsync(Hurry, cancellationToken);

    public Task<IReadOnlyList<PdiWorkRow>> ListAsync(int limit, PageCursor? after, bool? parked, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var command = connection.Command(List, ("$limit", limit),
                ("$after_created_at", after?.At.ToUnixTimeMilliseconds() ?? 0), ("$after_id", (after?.Id ?? Guid.Empty).ToBlob()),
                ("$parked", parked));
            return command.All(ReadRow);
        }, cancellationToken);

    public Task<PdiWorkCounts> CountAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var command = connection.Command(Count);
            return command.First(static row => new PdiWorkCounts(
                row.GetInt64(0), row.GetInt64(1), TimeSpan.FromMilliseconds(row.GetInt64(2))))!;
        }, cancellationToken);

    public Task<PdiWorkRow?> FindAsync(Guid sessionId, CancellationToken cancellationToken) =>
        database.ReadAsync(connection => FindRow(connection, sessionId), cancellationToken);

    public Task<PdiWorkRow?> ReplayAsync(Guid sessionId, AuditEntry? audit, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            if (connection.Execute(Replay, ("$id", sessionId.ToBlob())) == 1 && audit is not null)
                SqliteAuditStore.Write(connection, audit);
            return FindRow(connection, sessionId);
        }, cancellationToken);

    private static PdiWorkRow? FindRow(SqliteConnection connection, Guid sessionId)
    {
        using var command = connection.Command(Find, ("$id", sessionId.ToBlob()));
        return command.First(ReadRow);
    }

    private Task<bool> ChangesOneAsync(string statement, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters) =>
        database.WriteAsync(connection => connection.Execute(statement, parameters) == 1, cancellationToken);

    private static PdiWorkRow ReadRow(SqliteDataReader row) => new(
        row.GuidAt(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4),
        row.TimeAt(5), row.TimeAt(6), row.GetBoolean(7), row.GetInt32(8),
        row.IsDBNull(9) ? null : row.TimeAt(9), row.StringOrNull(10));
}
