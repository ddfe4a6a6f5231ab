using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Sessions;

/// <summary>The batches of the jobs in one SQLite file: as <see cref="PostgresSessionUpkeep"/>, step by step in one transaction.</summary>
internal sealed class SqliteSessionUpkeep(SqliteDatabase database) : ISessionUpkeep
{
    private const string Now = SqliteValues.Now;

    private const string Last = "select at, id from page order by at desc, id desc limit 1";

    private static readonly string OnlyOverdue = $"delete from page where status not in ({SessionTransitions.From(SessionEvent.Expired).ToSqlList()})";

    private const string Expire = $"""
        update sessions
           set status = 'failed', version = version + 1, busy_until = null, failure_reason = '{SessionFailure.Expired}',
               failed_at = {Now}, deleted_at = {Now}
         where id in (select id from page)
        """;

    private const string TellExpired = $"""
        insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points, reward_source)
        select id, version, 'expired', status, '{Causes.Job}', failed_at, earned_points, redeemed_points, reward_source
          from sessions where id in (select id from page)
        """;

    private const string SettleExpired = "delete from pdi_work where session_id in (select id from page)";

    private static readonly string OnlyClosed = $"delete from page where status not in ({SessionTransitions.Terminal.ToSqlList()}) or closed_at > $until";

    private static readonly string[] Archive =
    [
        $"insert into sessions_archive select {Now}, sessions.* from sessions where id in (select id from page)",
        "delete from sessions where id in (select id from page)",
        "insert into session_events_archive select * from session_events where session_id in (select id from page)",
        "delete from session_events where session_id in (select id from page)",
    ];

    public Task<WalkBatch> ExpireAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken) =>
        WalkAsync("expires_at", from, until, limit, connection =>
        {
            connection.Execute(OnlyOverdue);
            var changed = connection.Execute(Expire);
            connection.Execute(TellExpired);
            connection.Execute(SettleExpired);
            return changed;
        }, cancellationToken);

    public Task<WalkBatch> ArchiveAsync(WalkPosition from, DateTimeOffset until, int limit, TimeSpan time, CancellationToken cancellationToken) =>
        WalkAsync("created_at", from, until, limit, connection =>
        {
            connection.Execute(OnlyClosed, ("$until", until.ToUnixTimeMilliseconds()));
            var moved = connection.Execute(Archive[0]);
            foreach (var statement in Archive[1..])
                connection.Execute(statement);
            return moved;
        }, cancellationToken);

    private static string PageAlong(string time) => $"""
        create temp table page as
        select id, {time} as at, status, coalesce(finalized_at, failed_at, expires_at) as closed_at
          from sessions
         where ({time}, id) > ($at, $id) and {time} <= $until
         order by {time}, id
         limit $limit
        """;

    private Task<WalkBatch> WalkAsync(
        string time, WalkPosition from, DateTimeOffset until, int limit, Func<SqliteConnection, int> change, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            connection.Execute(
                PageAlong(time),
                ("$at", from.At.ToUnixTimeMilliseconds()), ("$id", from.Id.ToBlob()), ("$until", until.ToUnixTimeMilliseconds()), ("$limit", limit));
            try
            {
                using var last = connection.Command(Last);
                var reached = last.First(static row => new WalkPosition(row.TimeAt(0), row.GuidAt(1)));
                return new WalkBatch(reached is null ? 0 : change(connection), reached);
            }
            finally
            {
                connection.Execute("drop table page");
            }
        }, cancellationToken);
}
