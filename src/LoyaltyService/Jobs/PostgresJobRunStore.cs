using LoyaltyService.Security;
using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Jobs;

/// <summary><c>job_runs</c> in PostgreSQL.</summary>
internal sealed class PostgresJobRunStore(PostgresDatabase database) : IJobRunStore
{
    private const string Columns = """
        job, scheduled_for, by_hand, started_at, fence, attempts, handled, progress,
        finished_at is null and lease_until > now() as is_held, finished_at, outcome, error
        """;

    private const string Look = """
        select now(), latest.scheduled_for, coalesce(latest.finished_at is not null or latest.lease_until > now(), false)
          from (select) as always
          left join lateral (
                select scheduled_for, finished_at, lease_until from job_runs
                 where job = $1 and not by_hand
                 order by scheduled_for desc
                 limit 1) as latest on true
        """;

    // Serializable isolation lets only one of two replicas find the run free.
    private const string Claim = Supersede + Take;

    private static readonly string ClaimByHand = $"""
        {Supersede},
        claimed as (
        {Take}),
        audited as ({PostgresAuditStore.InsertOf("$4")} from claimed)
        select * from claimed
        """;

    private const string Supersede = $"""
        with superseded as (
            update job_runs set finished_at = now(), outcome = 'failed', error = coalesce(error, '{IJobRunStore.Superseded}')
             where job = $1 and scheduled_for <> coalesce($2, now()) and finished_at is null and lease_until <= now())
        """;

    private const string Take = $"""

        insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until)
        select $1, coalesce($2, now()), $2 is null, now(), now() + $3
         where not exists (select from job_runs where job = $1 and finished_at is null and lease_until > now())
        on conflict (job, scheduled_for) do update
           set lease_until = excluded.lease_until, fence = job_runs.fence + 1
         where job_runs.finished_at is null and job_runs.lease_until <= now()
        returning {Columns}
        """;

    private const string Report = """
        update job_runs set lease_until = now() + $4, handled = handled + $5, progress = $6
         where job = $1 and scheduled_for = $2 and fence = $3 and finished_at is null
        """;

    private const string End = """
        update job_runs set finished_at = now(), outcome = $4, error = $5
         where job = $1 and scheduled_for = $2 and fence = $3 and finished_at is null
        """;

    private const string LetGo = """
        update job_runs set lease_until = now() + $4, error = $5, attempts = attempts + ($5 is not null)::int
         where job = $1 and scheduled_for = $2 and fence = $3 and finished_at is null
        """;

    private const string Latest = $"select {Columns} from job_runs where job = $1 order by scheduled_for desc limit $2";

    private const string LastDone = "select max(scheduled_for) from job_runs where job = $1 and outcome = 'done'";

    private const string Forget = """
        delete from job_runs as run
         where finished_at < now() - $1
           and scheduled_for < (select max(scheduled_for) from job_runs as done where done.job = run.job and done.outcome = 'done')
        """;

    public async Task<JobClock> LookAsync(string job, CancellationToken cancellationToken) => (await database.ListReadCommittedAsync(
        Look, [Param.Of(job)],
        static row => new JobClock(row.GetFieldValue<DateTimeOffset>(0), row.TimeOrNull(1), row.GetBoolean(2)), cancellationToken))[0];

    public Task<JobRunRow?> ClaimAsync(string job, DateTimeOffset scheduledFor, TimeSpan lease, CancellationToken cancellationToken) =>
        database.QueryAsync(Claim, [Param.Of(job), Param.Of(scheduledFor), Param.Of(lease)], ReadRow, cancellationToken);

    public Task<JobRunRow?> ClaimByHandAsync(string job, TimeSpan lease, AuditEntry audit, CancellationToken cancellationToken) => database.QueryAsync(
        ClaimByHand, [Param.Of(job), Param.Of((DateTimeOffset?)null), Param.Of(lease), PostgresAuditStore.ParamOf(audit)], ReadRow, cancellationToken);

    public Task<bool> ReportAsync(JobRunRow run, long handled, string? progress, TimeSpan lease, CancellationToken cancellationToken) =>
        ChangesOneAsync(Report, run, cancellationToken, Param.Of(lease), Param.Of(handled), Param.Of(progress));

    public Task<bool> EndAsync(JobRunRow run, bool done, string? error, CancellationToken cancellationToken) =>
        ChangesOneAsync(End, run, cancellationToken, Param.Of(done ? "done" : "failed"), Param.Of(error));

    public Task<bool> LetGoAsync(JobRunRow run, TimeSpan pause, string? error, CancellationToken cancellationToken) =>
        ChangesOneAsync(LetGo, run, cancellationToken, Param.Of(pause), Param.Of(error));

    public Task<IReadOnlyList<JobRunRow>> LatestAsync(string job, int limit, CancellationToken cancellationToken) =>
        database.ListReadCommittedAsync(Latest, [Param.Of(job), Param.Of(limit)], ReadRow, cancellationToken);

    public async Task<DateTimeOffset?> LastDoneAsync(string job, CancellationToken cancellationToken) => (await database.ListReadCommittedAsync(
        LastDone, [Param.Of(job)], static row => row.TimeOrNull(0), cancellationToken))[0];

    public Task<int> ForgetAsync(TimeSpan keep, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Forget, [Param.Of(keep)], cancellationToken);

    private async Task<bool> ChangesOneAsync(string statement, JobRunRow run, CancellationToken cancellationToken, params NpgsqlParameter[] more) =>
        await database.ExecuteAsync(
            statement, [Param.Of(run.Job), Param.Of(run.ScheduledFor), Param.Of(run.Fence), .. more], cancellationToken) == 1;

    private static JobRunRow ReadRow(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), row.GetBoolean(2), row.GetFieldValue<DateTimeOffset>(3), row.GetInt32(4),
        row.GetInt32(5), row.GetInt64(6), row.StringOrNull(7), row.GetBoolean(8), row.TimeOrNull(9), row.StringOrNull(10), row.StringOrNull(11));
}
