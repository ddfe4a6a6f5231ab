using System.Globalization;
using LoyaltyService.Http;
using LoyaltyService.Storage;

namespace LoyaltyService.Notifications;

/// <summary>The statements of <see cref="PostgresSummaryStore"/> in SQLite's dialect.</summary>
internal sealed class SqliteSummaryStore(SqliteDatabase database) : ISummaryStore
{
    private const string AddCount = """
        insert into daily_counts (day, name, count) values (date('now'), $name, $count)
        on conflict (day, name) do update set count = count + excluded.count
        """;

    private const string ForgetCounts = $"delete from daily_counts where day < date(({SqliteValues.Now} - $keep) / 1000, 'unixepoch')";

    private const string Counts = "select name, count from daily_counts where day = $day";

    private const string Reconciled = "select checked, found from reconciliation_runs where day = $day";

    private const string OpenFindings = "select count(*) from reconciliation_findings where resolved_at is null";

    private const long DayMilliseconds = 24 * 60 * 60 * 1000;

    private static readonly string Open = Page("sessions");

    private static readonly string Archived = Page("sessions_archive");

    private static string Page(string table) => $"""
        with page as materialized (
            select id, created_at, status, failure_reason, earned_points, redeemed_points, created_at >= $day as is_begun,
                   coalesce(coalesce(finalized_at, failed_at) >= $day and coalesce(finalized_at, failed_at) < $end, 0) as is_closed
              from {table}
             where (created_at, id) > ($at, $id) and created_at < $end
             order by created_at, id
             limit $limit),
        last as (select created_at, id from page order by created_at desc, id desc limit 1)
        select page.status, page.failure_reason, sum(is_begun), sum(is_closed),
               coalesce(sum(earned_points) filter (where is_closed and status = 'finalized'), 0),
               coalesce(sum(redeemed_points) filter (where is_closed and status = 'finalized'), 0),
               last.created_at, last.id
          from page cross join last
         group by page.status, page.failure_reason, last.created_at, last.id
        """;

    public Task AddCountsAsync(IReadOnlyList<(string Name, long Count)> counts, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => counts.Sum(count => connection.Execute(AddCount, ("$name", count.Name), ("$count", count.Count))), cancellationToken);

    public Task ForgetCountsAsync(TimeSpan keep, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(ForgetCounts, ("$keep", keep.ToMilliseconds())), cancellationToken);

    public Task<IReadOnlyList<SessionSum>> PageAsync(bool archived, DateOnly day, PageCursor after, int limit, CancellationToken cancellationToken)
    {
        var start = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeMilliseconds();
        return database.ReadAsync(connection =>
        {
            using var page = connection.Command(
                archived ? Archived : Open,
                ("$at", after.At.ToUnixTimeMilliseconds()), ("$id", after.Id.ToBlob()), ("$day", start), ("$end", start + DayMilliseconds), ("$limit", limit));
            return page.All(static row => new SessionSum(
                row.GetString(0), row.StringOrNull(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
                new PageCursor(row.TimeAt(6), row.GuidAt(7))));
        }, cancellationToken);
    }

    public Task<DayRecord> ReadAsync(DateOnly day, CancellationToken cancellationToken)
    {
        var text = day.ToString("O", CultureInfo.InvariantCulture);
        return database.ReadAsync(connection =>
        {
            using var counts = connection.Command(Counts, ("$day", text));
            using var reconciled = connection.Command(Reconciled, ("$day", text));
            using var open = connection.Command(OpenFindings);
            return new DayRecord(
                counts.All(static row => (row.GetString(0), row.GetInt64(1))).ToDictionary(count => count.Item1, count => count.Item2),
                reconciled.All(static row => (row.GetInt64(0), row.GetInt64(1))) is [var run] ? run : null,
                (long)open.ExecuteScalar()!);
        }, cancellationToken);
    }
}
