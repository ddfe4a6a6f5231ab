using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Sessions;

/// <summary>
/// The jobs' batches in PostgreSQL: a block that the server runs, with a commit after each batch, for as long as it may. A round trip between two
/// batches costs more than its own time (docs/decisions/0016).
/// </summary>
internal sealed class PostgresSessionUpkeep(PostgresDatabase database, UpkeepLimits limits) : ISessionUpkeep
{
    // At most: right after a checkpoint an archived session writes a whole page of each of its indexes, 18 kB, and later a tenth of that (measured,
    // bench/README.md).
    private const int LogOfASession = 20_000;

    private static readonly string Expirable = SessionTransitions.From(SessionEvent.Expired).ToSqlList();
    private static readonly string Expired = SessionStatus.Failed.ToText();
    private static readonly string Closed = SessionTransitions.Terminal.ToSqlList();

    private const string Last = "(select at, id from page order by at desc, id desc limit 1) as last";

    // A block has no parameters and no result, so both are settings of its session.
    private const string Start = """
        select set_config('walk.at', $1::text, false), set_config('walk.id', $2::text, false), set_config('walk.until', $3::text, false),
               set_config('walk.rows', $4::text, false), set_config('walk.log', $5::text, false), set_config('walk.time', $6::text, false),
               set_config('walk.changed', '', false)
        """;

    private const string End = """
        select current_setting('walk.changed')::int, current_setting('walk.at')::timestamptz, current_setting('walk.id')::uuid
         where current_setting('walk.changed') <> ''
        """;

    // By ctid: a lookup in the index of the random ids is a tenth of the archive's time. A row that moved meanwhile is found at its new place, or left to the
    // next run. The status is compared again under the row lock: a finalize may have been faster.
    private static readonly string Expire = BlockOf($"""
        {PageAlong("expires_at")},
        changed as (
            update sessions
               set status = '{Expired}', version = version + 1, busy_until = null, failure_reason = '{SessionFailure.Expired}',
                   failed_at = now(), deleted_at = now()
             where ctid = any (array(select place from page where status in ({Expirable})))
               and status in ({Expirable})
            returning id, version, status, earned_points, redeemed_points, reward_source),
        timeline as (
            insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, reward_source)
            select id, version, 'expired', status, '{Causes.Job}', now(), earned_points, redeemed_points, reward_source from changed),
        -- Only what was pending can wait for PDI; a search of the small table by all would be in conflict with every sale in flight. Not a join: where
        -- few sessions of the table are open the planner expects one row, and would compare each with each once for every item that waits.
        settled as (
            delete from pdi_work
             where session_id = any (array(select id from changed intersect select id from page where status = 'pending')))
        select (select count(*) from changed), last.at, last.id into batch_changed, walk_at, walk_id from {Last};
        """);

    private static readonly string Archive = BlockOf($"""
        {PageAlong("created_at")},
        moved as (
            delete from sessions
             where ctid = any (array(select place from page where status in ({Closed}) and closed_at <= walk_until))
               and status in ({Closed})
            returning *),
        kept as (insert into sessions_archive select now(), moved.* from moved),
        moved_events as (
            delete from session_events where session_id = any (array(select id from moved)) returning *),
        kept_events as (insert into session_events_archive select * from moved_events)
        select (select count(*) from moved), last.at, last.id into batch_changed, walk_at, walk_id from {Last};
        """);

    public Task<WalkBatch> ExpireAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken) =>
        WalkAsync(Expire, from, until, limit, time, cancellationToken);

    public Task<WalkBatch> ArchiveAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken) =>
        WalkAsync(Archive, from, until, limit, time, cancellationToken);

    // The walk: a bounded range of the index on the time, from where the last batch ended.
    private static string PageAlong(string time) => $"""
        with page as materialized (
            select ctid as place, id, {time} as at, status, coalesce(finalized_at, failed_at, expires_at) as closed_at
              from sessions
             where ({time}, id) > (walk_at, walk_id) and {time} <= walk_until
             order by {time}, id
             limit batch_rows)
        """;

    // Each batch commits together with the block's own progress. Serializable isolation would lock whole tables, in conflict with every sale; row locks, and
    // the status compared under them, protect the batch instead.
    private static string BlockOf(string batch) => $"""
        do $block$
        declare
            walk_at timestamptz := current_setting('walk.at'); walk_id uuid := current_setting('walk.id');
            walk_until timestamptz := current_setting('walk.until');
            ends_at timestamptz := clock_timestamp() + current_setting('walk.time')::interval;
            most int := current_setting('walk.rows'); log_of_a_batch int := current_setting('walk.log');
            fewest int := least(most, log_of_a_batch / {LogOfASession}); batch_rows int := fewest;
            log_at pg_lsn; log_written numeric; changed_rows int := 0; batch_changed int;
        begin
            loop
                commit;
                set transaction isolation level read committed;
                -- Planned once a call: for each batch anew the planner would look for the first entry of the index among those of all that are archived.
                perform set_config('plan_cache_mode', 'force_generic_plan', true);
                log_at := pg_current_wal_insert_lsn();
                {batch}
                exit when not found;
                log_written := greatest(pg_current_wal_insert_lsn() - log_at, 1);
                -- As many as would have written what a batch may, but at most ten times as many.
                batch_rows := greatest(fewest, least(most, batch_rows * least(10, log_of_a_batch / log_written)));
                changed_rows := changed_rows + batch_changed;
                perform set_config('walk.at', walk_at::text, false), set_config('walk.id', walk_id::text, false),
                        set_config('walk.changed', changed_rows::text, false);
                exit when clock_timestamp() >= ends_at;
            end loop;
        end $block$
        """;

    private async Task<WalkBatch> WalkAsync(
        string block, WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken)
    {
        NpgsqlParameter[] parameters = [Param.Of(from.At), Param.Of(from.Id), Param.Of(until), Param.Of(limit), Param.Of(limits.LogOfABatch), Param.Of(time)];
        return await database.RunBlockAsync(
            Start, parameters, block, End,
            static row => new WalkBatch(row.GetInt32(0), new WalkPosition(row.GetFieldValue<DateTimeOffset>(1), row.GetGuid(2))), cancellationToken)
            ?? new WalkBatch(0, null);
    }
}
