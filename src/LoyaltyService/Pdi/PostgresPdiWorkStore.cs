using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Pdi;

/// <summary><c>pdi_work</c> in PostgreSQL: one statement a method.</summary>
internal sealed class PostgresPdiWorkStore(PostgresDatabase database) : IPdiWorkStore
{
    // A finalize whose request is at PDI this very moment does not wait, and what is parked waits for an operator.
    private const string IsWaiting = "parked_at is null and (attempts > 0 or lease_until is null or lease_until <= now())";

    private const string Add = $"""
        with added as (
            insert into pdi_work (session_id, created_at, due_at)
            select $1, now(), now() where (select count(*) from pdi_work where session_id <> $1 and {IsWaiting}) < $3
            on conflict (session_id) do update set due_at = now()
            returning session_id),
        released as (
            update sessions set busy_until = null where id = $1 and version = $2 and busy_until is not null)
        select 1 from added
        """;

    private const string HasRoom = $"select (select count(*) from pdi_work where session_id <> $1 and {IsWaiting}) < $2";

    private const string Claim = """
        with due as (
            select session_id from pdi_work
             where due_at <= now() and parked_at is null and (lease_until is null or lease_until <= now())
             order by due_at
             limit $1
               for update skip locked)
        update pdi_work
           set lease_until = now() + $2, fence = fence + 1, attempts = attempts + 1
         where session_id in (select session_id from due)
        returning session_id, fence, attempts, now() - created_at
        """;

    private const string PutBack = """
        update pdi_work
           set lease_until = null, due_at = now() + $3, last_error = $4, parked_at = case when $5 then now() end,
               attempts = attempts - case when $6 then 0 else 1 end
         where session_id = $1 and fence = $2
        """;

    private const string Remove = "delete from pdi_work where session_id = $1 and fence = $2";

    private const string Hurry = """
        update pdi_work set due_at = now()
         where due_at > now() and parked_at is null and (lease_until is null or lease_until <= now())
        """;

    private const string Columns = """
        select work.session_id, session.status, session.customer_id, session.channel_id, session.transaction_id,
               work.created_at, work.due_at, work.lease_until is not null and work.lease_until > now(), work.attempts,
               work.parked_at, work.last_error
          from pdi_work as work join sessions as session on session.id = work.session_id
        """;

    private const string List = Columns + """

         where (work.created_at, work.session_id) > ($2, $3)
         order by work.created_at, work.session_id
         limit $1
        """;

    private const string Find = Columns + "\n where work.session_id = $1";

    private const string Replay = """
        update pdi_work set due_at = now(), attempts = 0, parked_at = null where session_id = $1
        """;

    public async Task<bool> TryAddAsync(Session session, int maxItems, CancellationToken cancellationToken) =>
        await database.QueryAsync(Add, [Param.Of(session.Id), Param.Of(session.Version), Param.Of((long)maxItems)], ReadFlag, cancellationToken) is not null;

    public async Task<bool> HasRoomAsync(Guid sessionId, int maxItems, CancellationToken cancellationToken) =>
        (await database.ListAsync(HasRoom, [Param.Of(sessionId), Param.Of((long)maxItems)], static row => row.GetBoolean(0), cancellationToken))[0];

    public Task<IReadOnlyList<PdiWorkItem>> ClaimAsync(int limit, TimeSpan lease, CancellationToken cancellationToken) =>
        database.ListAsync(Claim, [Param.Of(limit), Param.Of(lease)], static row => new PdiWorkItem(
            row.GetGuid(0), row.GetInt32(1), row.GetInt32(2), row.GetTimeSpan(3)), cancellationToken);

    public async Task<bool> PutBackAsync(PdiWorkItem item, TimeSpan pause, string error, bool counts, bool park, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            PutBack,
            [Param.Of(item.SessionId), Param.Of(item.Fence), Param.Of(pause), Param.Of(error), Param.Of(park), Param.Of(counts)],
            cancellationToken) == 1;

    public async Task<bool> RemoveAsync(PdiWorkItem item, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Remove, [Param.Of(item.SessionId), Param.Of(item.Fence)], cancellationToken) == 1;

    public Task HurryAsync(CancellationToken cancellationToken) => database.ExecuteAsync(Hurry, [], cancellationToken);

    public Task<IReadOnlyList<PdiWorkRow>> ListAsync(int limit, PdiWorkCursor? after, CancellationToken cancellationToken) => database.ListAsync(
        List,
        [
            Param.Of(limit),
            new NpgsqlParameter<DateTimeOffset> { TypedValue = after?.CreatedAt ?? DateTimeOffset.UnixEpoch, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            Param.Of(after?.SessionId ?? Guid.Empty),
        ],
        ReadRow,
        cancellationToken);

    public Task<PdiWorkRow?> FindAsync(Guid sessionId, CancellationToken cancellationToken) =>
        database.QueryAsync(Find, [Param.Of(sessionId)], ReadRow, cancellationToken);

    public async Task<bool> ReplayAsync(Guid sessionId, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Replay, [Param.Of(sessionId)], cancellationToken) == 1;

    private static object ReadFlag(NpgsqlDataReader row) => row;

    private static PdiWorkRow ReadRow(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4),
        row.GetFieldValue<DateTimeOffset>(5), row.GetFieldValue<DateTimeOffset>(6), row.GetBoolean(7), row.GetInt32(8),
        row.IsDBNull(9) ? null : row.GetFieldValue<DateTimeOffset>(9), row.StringOrNull(10));
}
