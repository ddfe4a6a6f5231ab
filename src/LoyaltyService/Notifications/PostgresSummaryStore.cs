using LoyaltyService.Http;
using LoyaltyService.Storage;
using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Notifications;

/// <summary>The summary's queries in PostgreSQL. All are read committed: they decide nothing and must not disturb sales.</summary>
internal sealed class PostgresSummaryStore(PostgresDatabase database) : ISummaryStore
{
    // Ordered by name, so that two replicas cannot deadlock.
    private const string AddCounts = """
        insert into daily_counts (day, name, count)
        select (now() at time zone 'utc')::date, added.name, added.count from unnest($1, $2) as added (name, count) order by added.name
        on conflict (day, name) do update set count = daily_counts.count + excluded.count
        returning 1
        """;

    private const string ForgetCounts = "delete from daily_counts where day < (now() at time zone 'utc' - $1)::date returning 1";

    private const string Counts = "select name, count from daily_counts where day = $1";

    private const string Reconciled = """
        select (select count(*) from reconciliation_findings where resolved_at is null), run.checked, run.found
          from (select) as always left join reconciliation_runs as run on run.day = $1
        """;

    private static readonly string Open = Page("sessions");

    private static readonly string Archived = Page("sessions_archive");

    // Each page reads a bounded part of the index on created_at, from where the last page ended.
    private static string Page(string table) => $"""
        with page as materialized (
            select id, created_at, status, failure_reason, earned_points, redeemed_points, created_at >= $3 as is_begun,
                   coalesce(finalized_at, failed_at) >= $3 and coalesce(finalized_at, failed_at) < $3 + interval '1 day' as is_closed
              from {table}
             where (created_at, id) > ($1, $2) and created_at < $3 + interval '1 day'
             order by created_at, id
             limit $4),
        last as (select created_at, id from page order by created_at desc, id desc limit 1)
        select page.status, page.failure_reason, count(*) filter (where is_begun), count(*) filter (where is_closed),
               coalesce(sum(earned_points) filter (where is_closed and status = 'finalized'), 0)::bigint,
               coalesce(sum(redeemed_points) filter (where is_closed and status = 'finalized'), 0)::bigint,
               last.created_at, last.id
          from page cross join last
         group by page.status, page.failure_reason, last.created_at, last.id
        """;

    public Task AddCountsAsync(IReadOnlyList<(string Name, long Count)> counts, CancellationToken cancellationToken) => database.ListReadCommittedAsync(
        AddCounts,
        [
            new NpgsqlParameter<string[]> { TypedValue = [.. counts.Select(count => count.Name)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<long[]> { TypedValue = [.. counts.Select(count => count.Count)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
        ],
        static row => row.GetInt32(0),
        cancellationToken);

    public Task ForgetCountsAsync(TimeSpan keep, CancellationToken cancellationToken) =>
        database.ListReadCommittedAsync(ForgetCounts, [Param.Of(keep)], static row => row.GetInt32(0), cancellationToken);

    public Task<IReadOnlyList<SessionSum>> PageAsync(bool archived, DateOnly day, PageCursor after, int limit, CancellationToken cancellationToken) =>
        database.ListReadCommittedAsync(
            archived ? Archived : Open,
            [Param.Of(after.At), Param.Of(after.Id), Param.Of(new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero)), Param.Of(limit)],
            static row => new SessionSum(
                row.GetString(0), row.StringOrNull(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
                new PageCursor(row.GetFieldValue<DateTimeOffset>(6), row.GetGuid(7))),
            cancellationToken);

    public async Task<DayRecord> ReadAsync(DateOnly day, CancellationToken cancellationToken)
    {
        var counts = await database.ListReadCommittedAsync(Counts, [OfDay(day)], static row => (row.GetString(0), row.GetInt64(1)), cancellationToken);
        var reconciled = await database.ListReadCommittedAsync(
            Reconciled, [OfDay(day)],
            static row => (Open: row.GetInt64(0), Run: row.IsDBNull(1) ? ((long, long)?)null : (row.GetInt64(1), row.GetInt64(2))), cancellationToken);
        return new DayRecord(counts.ToDictionary(count => count.Item1, count => count.Item2), reconciled[0].Run, reconciled[0].Open);
    }

    private static NpgsqlParameter<DateOnly> OfDay(DateOnly day) => new() { TypedValue = day, NpgsqlDbType = NpgsqlDbType.Date };
}
