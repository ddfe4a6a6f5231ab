using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Sessions;

/// <summary>The batches of the jobs in PostgreSQL.</summary>
internal sealed class PostgresSessionUpkeep(PostgresDatabase database) : ISessionUpkeep
{
    private const string Last = "(select at, id from page order by at desc, id desc limit 1) as last";

    // The status is compared again with the row locked: a finalize may have been faster.
    private static readonly string Expire = $"""
        {PageAlong("expires_at")},
        changed as (
            update sessions
               set status = 'failed', version = version + 1, busy_until = null, failure_reason = '{SessionFailure.Expired}',
                   failed_at = now(), deleted_at = now()
             where id = any (array(select id from page where status in ('pending', 'active', 'pending_finalization')))
               and status in ('pending', 'active', 'pending_finalization')
            returning id, version, status, earned_points, redeemed_points, reward_source),
        timeline as (
            insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, reward_source)
            select id, version, 'expired', status, '{Causes.Job}', now(), earned_points, redeemed_points, reward_source from changed),
        -- Only what was pending can wait for PDI; a search of the small table by all would be in conflict with every sale in flight. Not a join: where
        -- few sessions of the table are open the planner expects one row, and would compare each with each once for every item that waits.
        settled as (
            delete from pdi_work
             where session_id = any (array(select id from changed intersect select id from page where status = 'pending')))
        select (select count(*) from changed), last.at, last.id from {Last}
        """;

    private static readonly string Archive = $"""
        {PageAlong("created_at")},
        moved as (
            delete from sessions
             where id = any (array(select id from page where status in ('finalized', 'failed') and closed_at <= $3))
               and status in ('finalized', 'failed')
            returning *),
        kept as (insert into sessions_archive select now(), moved.* from moved),
        moved_events as (
            delete from session_events where session_id = any (array(select id from moved)) returning *),
        kept_events as (insert into session_events_archive select * from moved_events)
        select (select count(*) from moved), last.at, last.id from {Last}
        """;

    public Task<WalkBatch> ExpireAsync(WalkPosition from, DateTimeOffset until, int limit, CancellationToken cancellationToken) =>
        WalkAsync(Expire, from, until, limit, cancellationToken);

    public Task<WalkBatch> ArchiveAsync(WalkPosition from, DateTimeOffset until, int limit, CancellationToken cancellationToken) =>
        WalkAsync(Archive, from, until, limit, cancellationToken);

    // The walk: a bounded number of entries of the index on the time, from where the last batch ended.
    private static string PageAlong(string time) => $"""
        with page as materialized (
            select id, {time} as at, status, coalesce(finalized_at, failed_at, expires_at) as closed_at
              from sessions
             where ({time}, id) > ($1, $2) and {time} <= $3
             order by {time}, id
             limit $4)
        """;

    private async Task<WalkBatch> WalkAsync(string statement, WalkPosition from, DateTimeOffset until, int limit, CancellationToken cancellationToken)
    {
        NpgsqlParameter[] parameters = [Param.Of(from.At), Param.Of(from.Id), Param.Of(until), Param.Of(limit)];
        var reached = await database.ListReadCommittedAsync(
            statement, parameters,
            static row => new WalkBatch((int)row.GetInt64(0), new WalkPosition(row.GetFieldValue<DateTimeOffset>(1), row.GetGuid(2))), cancellationToken);
        return reached is [var batch] ? batch : new WalkBatch(0, null);
    }
}
