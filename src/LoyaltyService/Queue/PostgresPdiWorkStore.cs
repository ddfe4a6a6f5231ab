using LoyaltyService.Http;
using LoyaltyService.Security;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Queue;

/// <summary><c>pdi_work</c> in PostgreSQL.</summary>
internal sealed class PostgresPdiWorkStore(PostgresDatabase database) : IPdiWorkStore
{
    // A finalize whose request is calling PDI right now does not wait, and parked items wait for an operator.
    private const string IsWaiting = "parked_at is null and (attempts > 0 or lease_until is null or lease_until <= now())";

    // Does not count: a statement that reads the whole table and adds to it is, under serializable isolation, in conflict with every
    // other one of its kind, and when PDI goes away all tills run it at once. So the bound is looked at before.
    private const string Add = """
        with released as (
            update sessions set busy_until = null where id = $1 and version = $2 and busy_until is not null)
        insert into pdi_work (session_id, created_at, due_at) values ($1, now(), now())
        on conflict (session_id) do update
           set due_at = now(), parked_at = null,
               attempts = case when pdi_work.parked_at is null then pdi_work.attempts else 0 end,
               replayed_at = case when pdi_work.parked_at is null then pdi_work.replayed_at else now() end
        """;

    private const string Release = "update sessions set busy_until = null where id = $1 and version = $2 and busy_until is not null";

    private const string HasRoom = $"select (select count(*) from pdi_work where session_id <> $1 and {IsWaiting}) < $2";

    private const string IsDue = "due_at <= now() and parked_at is null and (lease_until is null or lease_until <= now())";

    private const string AnyDue = $"select exists (select from pdi_work where {IsDue})";

    private const string Claim = $"""
        with due as (
            select session_id from pdi_work
             where {IsDue}
             order by due_at
             limit $1
               for update skip locked)
        update pdi_work
           set lease_until = now() + $2, fence = fence + 1, attempts = attempts + 1
         where session_id in (select session_id from due)
        returning session_id, fence, attempts, now() - greatest(created_at, replayed_at)
        """;

    private const string PutBack = """
        update pdi_work
           set lease_until = null, last_error = $4,
               due_at = case when attempts = $6 then now() + $3 else due_at end,
               parked_at = case when $5 and attempts = $6 then now() end,
               attempts = case when attempts = $6 and not $7 then attempts - 1 else attempts end
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

        """;

    private const string Waiting = Columns + "  from pdi_work as work join sessions as session on session.id = work.session_id";

    private const string List = Waiting + """

         where (work.created_at, work.session_id) > ($2, $3) and ($4 is null or (work.parked_at is not null) = $4)
         order by work.created_at, work.session_id
         limit $1
        """;

    private const string Find = Waiting + "\n where work.session_id = $1";

    private const string Count = """
        select count(*) filter (where parked_at is null), count(*) filter (where parked_at is not null),
               coalesce(now() - min(created_at), interval '0')
          from pdi_work
        """;

    private static readonly string Replay = $"""
        with work as (
            update pdi_work set due_at = now(), attempts = 0, parked_at = null, replayed_at = now() where session_id = $1
            returning *),
        audited as ({PostgresAuditStore.InsertOf("$2")} from work where $2::text[] is not null)
        {Columns}  from work join sessions as session on session.id = work.session_id
        """;

    public async Task<bool> TryAddAsync(Session session, int maxItems, CancellationToken cancellationToken)
    {
        var hasRoom = await HasRoomAsync(session.Id, maxItems, cancellationToken);
        await database.ExecuteAsync(hasRoom ? Add : Release, [Param.Of(session.Id), Param.Of(session.Version)], cancellationToken);
        return hasRoom;
    }

    public async Task<bool> HasRoomAsync(Guid sessionId, int maxItems, CancellationToken cancellationToken) =>
        (await database.ListReadCommittedAsync(HasRoom, [Param.Of(sessionId), Param.Of((long)maxItems)], static row => row.GetBoolean(0), cancellationToken))[0];

    public async Task<IReadOnlyList<PdiWorkItem>> ClaimAsync(int limit, TimeSpan lease, CancellationToken cancellationToken)
    {
        // Nearly always nothing is due, and a claim that found nothing would still have been in conflict with every sale in flight.
        if ((await database.ListReadCommittedAsync(AnyDue, [], static row => row.GetBoolean(0), cancellationToken)) is [false])
            return [];

        return await database.ListAsync(Claim, [Param.Of(limit), Param.Of(lease)], static row => new PdiWorkItem(
            row.GetGuid(0), row.GetInt32(1), row.GetInt32(2), row.GetTimeSpan(3)), cancellationToken);
    }

    public async Task<bool> PutBackAsync(PdiWorkItem item, TimeSpan pause, string error, bool counts, bool park, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            PutBack,
            [
                Param.Of(item.SessionId), Param.Of(item.Fence), Param.Of(pause), Param.Of(error), Param.Of(park), Param.Of(item.Attempts),
                Param.Of(counts),
            ],
            cancellationToken) == 1;

    public async Task<bool> RemoveAsync(PdiWorkItem item, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Remove, [Param.Of(item.SessionId), Param.Of(item.Fence)], cancellationToken) == 1;

    public Task HurryAsync(CancellationToken cancellationToken) => database.ExecuteAsync(Hurry, [], cancellationToken);

    public Task<IReadOnlyList<PdiWorkRow>> ListAsync(int limit, PageCursor? after, bool? parked, CancellationToken cancellationToken) => database.ListReadCommittedAsync(
        List,
        [
            Param.Of(limit),
            new NpgsqlParameter<DateTimeOffset> { TypedValue = after?.At ?? DateTimeOffset.UnixEpoch, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            Param.Of(after?.Id ?? Guid.Empty),
            Param.Of(parked),
        ],
        ReadRow,
        cancellationToken);

    public async Task<PdiWorkCounts> CountAsync(CancellationToken cancellationToken) => (await database.ListReadCommittedAsync(
        Count, [], static row => new PdiWorkCounts(row.GetInt64(0), row.GetInt64(1), row.GetTimeSpan(2)), cancellationToken))[0];

    public Task<PdiWorkRow?> FindAsync(Guid sessionId, CancellationToken cancellationToken) =>
        database.QueryAsync(Find, [Param.Of(sessionId)], ReadRow, cancellationToken);

    public Task<PdiWorkRow?> ReplayAsync(Guid sessionId, AuditEntry? audit, CancellationToken cancellationToken) =>
        database.QueryAsync(Replay, [Param.Of(sessionId), PostgresAuditStore.ParamOf(audit)], ReadRow, cancellationToken);

    private static PdiWorkRow ReadRow(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4),
        row.GetFieldValue<DateTimeOffset>(5), row.GetFieldValue<DateTimeOffset>(6), row.GetBoolean(7), row.GetInt32(8),
        row.IsDBNull(9) ? null : row.GetFieldValue<DateTimeOffset>(9), row.StringOrNull(10));
}
