using LoyaltyService.Security;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Jobs;

/// <summary><c>job_runs</c> in one SQLite file: the statements of <see cref="PostgresJobRunStore"/> in SQLite's dialect.</summary>
internal sealed class SqliteJobRunStore(SqliteDatabase database) : IJobRunStore
{
    private const string Now = SqliteValues.Now;

    private const string Columns = $"""
        job, scheduled_for, by_hand, started_at, fence, attempts, handled, progress,
        finished_at is null and lease_until > {Now} as is_held, finished_at, outcome, error
        """;

    private const string Look = $"""
        select {Now}, latest.scheduled_for, coalesce(latest.finished_at is not null or latest.lease_until > {Now}, 0)
          from (select 1) as always
          left join (
                select scheduled_for, finished_at, lease_until from job_runs
                 where job = $job and not by_hand
                 order by scheduled_for desc
                 limit 1) as latest on true
        """;

    private const string Claim = $"""
        insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until)
        select $job, coalesce($scheduled_for, {Now}), $scheduled_for is null, {Now}, {Now} + $lease
         where not exists (select 1 from job_runs where job = $job and finished_at is null and lease_until > {Now})
        on conflict (job, scheduled_for) do update
           set lease_until = excluded.lease_until, fence = fence + 1
         where finished_at is null and lease_until <= {Now}
        returning {Columns}
        """;

    private const string Supersede = $"""
        update job_runs set finished_at = {Now}, outcome = 'failed', error = coalesce(error, '{IJobRunStore.Superseded}')
         where job = $job and finished_at is null and lease_until <= {Now}
           and exists (select 1 from job_runs as held where held.job = $job and held.finished_at is null and held.lease_until > {Now})
        """;

    private const string Report = $"""
        update job_runs set lease_until = {Now} + $lease, handled = handled + $handled, progress = $progress
         where job = $job and scheduled_for = $scheduled_for and fence = $fence and finished_at is null
        """;

    private const string End = $"""
        update job_runs set finished_at = {Now}, outcome = $outcome, error = $error
         where job = $job and scheduled_for = $scheduled_for and fence = $fence and finished_at is null
        """;

    private const string LetGo = $"""
        update job_runs set lease_until = {Now} + $pause, error = $error, attempts = attempts + ($error is not null)
         where job = $job and scheduled_for = $scheduled_for and fence = $fence and finished_at is null
        """;

    private const string Latest = $"select {Columns} from job_runs where job = $job order by scheduled_for desc limit $limit";

    private const string LastDone = "select max(scheduled_for) from job_runs where job = $job and outcome = 'done'";

    private const string Forget = $"""
        delete from job_runs
         where finished_at < {Now} - $keep
           and scheduled_for < (select max(scheduled_for) from job_runs as done where done.job = job_runs.job and done.outcome = 'done')
        """;

    public Task<JobClock> LookAsync(string job, CancellationToken cancellationToken) => database.ReadAsync(connection =>
    {
        using var look = connection.Command(Look, ("$job", job));
        return look.First(static row => new JobClock(row.TimeAt(0), row.TimeOrNull(1), row.GetBoolean(2)))!;
    }, cancellationToken);

    public Task<JobRunRow?> ClaimAsync(string job, DateTimeOffset scheduledFor, TimeSpan lease, CancellationToken cancellationToken) =>
        ClaimAsync(job, scheduledFor, lease, audit: null, cancellationToken);

    public Task<JobRunRow?> ClaimByHandAsync(string job, TimeSpan lease, AuditEntry audit, CancellationToken cancellationToken) =>
        ClaimAsync(job, scheduledFor: null, lease, audit, cancellationToken);

    private Task<JobRunRow?> ClaimAsync(string job, DateTimeOffset? scheduledFor, TimeSpan lease, AuditEntry? audit, CancellationToken cancellationToken) =>
        database.WriteAsync(connection =>
        {
            using var claim = connection.Command(
                Claim, ("$job", job), ("$scheduled_for", scheduledFor?.ToUnixTimeMilliseconds()), ("$lease", lease.ToMilliseconds()));
            var run = claim.First(ReadRow);
            connection.Execute(Supersede, ("$job", job));
            if (run is not null && audit is not null)
                SqliteAuditStore.Write(connection, audit);
            return run;
        }, cancellationToken);

    public Task<bool> ReportAsync(JobRunRow run, long handled, string? progress, TimeSpan lease, CancellationToken cancellationToken) =>
        ChangesOneAsync(Report, run, cancellationToken, ("$lease", lease.ToMilliseconds()), ("$handled", handled), ("$progress", progress));

    public Task<bool> EndAsync(JobRunRow run, bool done, string? error, CancellationToken cancellationToken) =>
        ChangesOneAsync(End, run, cancellationToken, ("$outcome", done ? "done" : "failed"), ("$error", error));

    public Task<bool> LetGoAsync(JobRunRow run, TimeSpan pause, string? error, CancellationToken cancellationToken) =>
        ChangesOneAsync(LetGo, run, cancellationToken, ("$pause", pause.ToMilliseconds()), ("$error", error));

    public Task<IReadOnlyList<JobRunRow>> LatestAsync(string job, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var latest = connection.Command(Latest, ("$job", job), ("$limit", limit));
            return latest.All(ReadRow);
        }, cancellationToken);

    public Task<DateTimeOffset?> LastDoneAsync(string job, CancellationToken cancellationToken) => database.ReadAsync(connection =>
    {
        using var last = connection.Command(LastDone, ("$job", job));
        return last.ExecuteScalar() is long at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : (DateTimeOffset?)null;
    }, cancellationToken);

    public Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.Execute(Forget, ("$keep", keep.ToMilliseconds())), cancellationToken);

    private Task<bool> ChangesOneAsync(
        string statement, JobRunRow run, CancellationToken cancellationToken, params (string Name, object? Value)[] more) =>
        database.WriteAsync(connection => connection.Execute(
            statement,
            [("$job", run.Job), ("$scheduled_for", run.ScheduledFor.ToUnixTimeMilliseconds()), ("$fence", run.Fence), .. more]) == 1, cancellationToken);

    private static JobRunRow ReadRow(SqliteDataReader row) => new(
        row.GetString(0), row.TimeAt(1), row.GetBoolean(2), row.TimeAt(3), row.GetInt32(4), row.GetInt32(5), row.GetInt64(6),
        row.StringOrNull(7), row.GetBoolean(8), row.TimeOrNull(9), row.StringOrNull(10), row.StringOrNull(11));
}
