using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// A run that was missed while nobody was up, and whose replicas are killed in the middle of it, one after the other: the run goes on where
/// it stood, and each session is handled once.
/// </summary>
public sealed class JobTakeoverTests
{
    private const int Sessions = 2500;

    // What a run begins with.
    private const int FirstBatch = 20;

    [Fact]
    public async Task Each_overdue_session_expires_once_however_often_the_replica_is_killed()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var books = new Books(database, Backend.Postgres);
        await books.ExecuteAsync(
            $"""
            insert into sessions (id, sale_key, client, channel_id, transaction_id, customer_id, identify_fingerprint, created_at, expires_at, status, version)
            select gen_random_uuid(), gen_random_uuid(), 'local', 'POS-001', 'TXN-' || number, 'CUST-12345', gen_random_uuid(),
                   now() - interval '26 hours', now() - interval '1 hour' - number * interval '1 second', 'pending', 1
              from generate_series(1, {Sessions}) as number
            """,
            """
            insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points)
            select id, 1, 'created', 'pending', 'request', created_at, 0, 0 from sessions
            """,
            // The last run that there was; all since have been missed.
            """
            insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until, finished_at, outcome)
            select 'expire-sessions', at, false, at, at, at, 'done' from date_bin('15 minutes', now() - interval '6 hours', 'epoch') as at
            """);

        await RunDiesAsync(database, pdi, "expire-sessions");
        Assert.Equal(FirstBatch, await books.CountAsync("select count(*) from sessions where status = 'failed'"));
        await RunDiesAsync(database, pdi, "expire-sessions");
        await RunEndsOnThreeReplicasAsync(database, pdi, "expire-sessions");

        Assert.Equal(Sessions, await books.CountAsync("select count(*) from sessions where status = 'failed' and version = 2"));
        Assert.Equal(Sessions, await books.CountAsync("select count(*) from session_events where event = 'expired' and version = 2"));
        Assert.Equal(2 * Sessions, await books.CountAsync("select count(*) from session_events"));
    }

    [Fact]
    public async Task Each_old_session_is_in_exactly_one_place_when_the_replica_is_killed()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres);
        var books = new Books(database, Backend.Postgres);
        await books.ExecuteAsync(
            $"""
            insert into sessions (id, sale_key, client, channel_id, transaction_id, customer_id, identify_fingerprint, created_at, expires_at, status, version,
                                  failed_at, failure_reason)
            select gen_random_uuid(), gen_random_uuid(), 'local', 'POS-001', 'TXN-' || number, 'CUST-12345', gen_random_uuid(),
                   now() - interval '41 days', now() - interval '40 days' - number * interval '1 second', 'failed', 2, now() - interval '40 days', 'expired'
              from generate_series(1, {Sessions}) as number
            """,
            """
            insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points)
            select id, version, event, status, 'job', created_at, 0, 0
              from (select id, created_at from sessions) as session
             cross join (values (1, 'created', 'pending'), (2, 'expired', 'failed')) as history (version, event, status)
            """);

        await RunDiesAsync(database, pdi, "archive-sessions");
        Assert.Equal(FirstBatch, await books.CountAsync("select count(*) from sessions_archive"));
        await InOnePlaceEachAsync(books);
        await RunEndsOnThreeReplicasAsync(database, pdi, "archive-sessions");
        // Daily, so that no other occurrence can have come meanwhile: it was one run, taken over once.
        Assert.Equal(1, await books.CountAsync($"select count(*) from job_runs where job = 'archive-sessions' and fence = 2 and handled = {Sessions} and not by_hand"));
        Assert.Equal(1, await books.CountAsync("select count(*) from job_runs where job = 'archive-sessions'"));

        await InOnePlaceEachAsync(books);
        Assert.Equal(0, await books.CountAsync("select (select count(*) from sessions) + (select count(*) from session_events)"));
    }

    /// <summary>A replica starts, does one more batch of what is due, and is killed; then its lease runs out.</summary>
    private static async Task RunDiesAsync(TestDatabase database, Simulator pdi, string job)
    {
        await using var dying = await ServiceProcess.StartServiceAsync(database, pdi.Address, new() { ["FAILPOINT"] = $"job.{job}.reported=kill" }, mayDie: true);
        await dying.WaitForExitAsync();
        await new Books(database, Backend.Postgres).LeasesRunOutAsync();
    }

    private static async Task RunEndsOnThreeReplicasAsync(TestDatabase database, Simulator pdi, string job)
    {
        var books = new Books(database, Backend.Postgres);
        await using var replicas = await Fleet.StartAsync(3, database, pdi.Address);
        await Eventually.BecomesTrueAsync(
            async () => await books.CountAsync($"select count(*) from job_runs where job = '{job}' and outcome = 'done' and finished_at > now() - interval '1 hour'") >= 1,
            $"{job} is done");
    }

    private static async Task InOnePlaceEachAsync(Books books)
    {
        Assert.Equal(Sessions, await books.CountAsync("select count(distinct id) from (select id from sessions union all select id from sessions_archive) as everywhere"));
        Assert.Equal(Sessions, await books.CountAsync("select (select count(*) from sessions) + (select count(*) from sessions_archive)"));
        Assert.Equal(0, await books.CountAsync("select count(*) from sessions s where 2 <> (select count(*) from session_events e where e.session_id = s.id)"));
        Assert.Equal(0, await books.CountAsync("select count(*) from sessions_archive s where 2 <> (select count(*) from session_events_archive e where e.session_id = s.id)"));
    }
}
