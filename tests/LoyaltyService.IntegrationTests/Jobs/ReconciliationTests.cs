using System.Globalization;
using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Jobs;
using LoyaltyService.Queue;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.IntegrationTests.Jobs;

/// <summary>Reconciles yesterday's sessions with PDI's records.</summary>
public abstract class ReconciliationTests(Backend backend) : IAsyncLifetime
{
    private LoyaltyApp app = null!;

    private readonly CapturedLog log = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(backend, services: services =>
    {
        log.Capture(services);
        services.AddSingleton(new JobLimits { BySchedule = false, BatchSize = 2, ReconcilePerSecond = 1000 })
            .AddSingleton(new PdiWorkLimits { Poll = TimeSpan.FromMilliseconds(50) });
    });

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await log.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Sales_that_agree_with_PDI_leave_no_finding()
    {
        await SoldAsync();
        await SoldAsync();
        await YesterdayAsync();
        await SoldAsync();

        Assert.Equal(2, await app.RunJobAsync("reconciliation"));

        var list = await app.GetAsync("/ops/reconciliation");
        Assert.Equal(0, list.Json.GetProperty("findings").GetArrayLength());
        Assert.Equal((2, 0), (list.Json.GetProperty("lastDay").GetProperty("checked").GetInt32(), list.Json.GetProperty("lastDay").GetProperty("found").GetInt32()));
        Assert.Equal(2, await app.Pdi.CallsAsync("getSessionStatus"));
        // The day is complete: another run does not query PDI.
        Assert.Equal(0, await app.RunJobAsync("reconciliation"));
    }

    [Fact]
    public async Task An_open_session_is_skipped()
    {
        await SoldAsync();
        await new Sale(app).IdentifiedAsync();
        await YesterdayAsync();

        Assert.Equal(1, await app.RunJobAsync("reconciliation"));
    }

    [Fact]
    public async Task A_difference_is_counted_and_listed_once_until_resolved()
    {
        using var found = new Counted(app, "loyalty_reconciliation_findings");
        var differs = await SoldAsync();
        var missing = await SoldAsync();
        await SoldAsync();
        await YesterdayAsync();
        await app.ExecuteAsync($"update sessions set earned_points = 451 where transaction_id = '{differs.TransactionId}'");
        await app.ExecuteAsync($"update sessions set pdi_session_id = 'pdi-unknown' where transaction_id = '{missing.TransactionId}'");

        await app.RunJobAsync("reconciliation");
        await app.ExecuteAsync("delete from reconciliation_runs");
        await app.RunJobAsync("reconciliation");

        var findings = await FindingsAsync();
        Assert.Equal(
            [("amounts_differ", differs.SessionId), ("missing_at_pdi", missing.SessionId)],
            findings.Select(finding => (Text(finding, "kind"), Text(finding, "sessionId"))).Order());
        Assert.Equal(2, found.Total);
        var lines = log.Lines.Where(line => line.TryGetProperty("event", out var name) && name.GetString() == "DifferenceFound");
        Assert.Equal(
            [("ERROR", "amounts_differ", differs.SessionId), ("ERROR", "missing_at_pdi", missing.SessionId)],
            lines.Select(line => (Text(line, "level"), Text(line, "kind"), Text(line, "sessionId"))).OrderBy(line => line.Item2));
        var amounts = findings.Single(finding => Text(finding, "kind") == "amounts_differ");
        Assert.Contains("earned 451", Text(amounts, "here"), StringComparison.Ordinal);
        Assert.Contains("earned 450", Text(amounts, "atPdi"), StringComparison.Ordinal);

        var path = $"/ops/reconciliation/{Text(amounts, "id")}/resolve";
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var resolved = await app.PostAsync(path, new { reason = "Corrected at PDI." }, key);
        var repeated = await app.PostAsync(path, new { reason = "Corrected at PDI." }, key);
        Assert.Equal((resolved.Text, true), (repeated.Text, repeated.IsReplay));
        Assert.Equal((200, "Corrected at PDI."), (resolved.Status, Text(resolved.Json, "resolution")));
        Assert.Equal((404, "not_found"), Of(await app.PostAsync(path, new { reason = "Again." })));
        Assert.Equal((400, "validation_failed"), Of(await app.PostAsync(path, new { reason = "" })));
        Assert.Equal(["missing_at_pdi"], (await FindingsAsync("?resolved=false")).Select(finding => Text(finding, "kind")));
        Assert.Equal(["amounts_differ"], (await FindingsAsync("?resolved=true")).Select(finding => Text(finding, "kind")));
    }

    [Fact]
    public async Task A_parked_sale_that_PDI_finalized_is_found_and_finished()
    {
        var sale = await SoldAsync();
        await YesterdayAsync();
        var long_ago = app.Services.GetService<SqliteDatabase>() is null ? "now() - interval '20 hours'" : "0";
        await app.ExecuteAsync("update sessions set status = 'finalizing', finalized_at = null, receipt_id = null, new_balance = null, earned_points = 0");
        await app.ExecuteAsync($"insert into pdi_work (session_id, created_at, due_at, attempts, parked_at) select id, {long_ago}, {long_ago}, 50, {long_ago} from sessions");

        await app.RunJobAsync("reconciliation");

        Assert.Equal(["finalized_at_pdi_only"], (await FindingsAsync()).Select(finding => Text(finding, "kind")));
        var repaired = await Eventually.GetAsync(sale.StatusAsync, status => Text(status.Json, "status") == "finalized", "the worker has finished the sale");
        Assert.Equal(450, repaired.Json.GetProperty("earnedPoints").GetInt32());
        Assert.Equal(1, (await app.Pdi.SummaryAsync()).GetProperty("finalized").GetInt32());
    }

    [Fact]
    public async Task A_failed_session_that_PDI_finalized_is_found()
    {
        var sale = await SoldAsync();
        await YesterdayAsync();
        await app.ExecuteAsync("""
            update sessions set status = 'failed', failed_at = finalized_at, failure_reason = 'resolved', finalized_at = null, receipt_id = null, new_balance = null
            """);

        await app.RunJobAsync("reconciliation");

        var finding = Assert.Single(await FindingsAsync());
        Assert.Equal(("finalized_at_pdi_only", sale.SessionId, "failed, resolved"), (Text(finding, "kind"), Text(finding, "sessionId"), Text(finding, "here")));
    }

    [Fact]
    public async Task A_missed_day_is_reconciled_with_the_next_one()
    {
        await SoldAsync();
        await YesterdayAsync();
        await SoldAsync();
        await SoldAsync();
        await YesterdayAsync();
        await DayIsDoneAsync(daysAgo: 3);

        Assert.Equal(3, await app.RunJobAsync("reconciliation"));

        Assert.Equal(3, await app.Pdi.CallsAsync("getSessionStatus"));
        Assert.Equal((DayText(1), 2), await LastDayAsync());
    }

    [Fact]
    public async Task Lookups_at_PDI_are_rate_limited()
    {
        await SoldYesterdayAsync(5);
        var clock = new CountedTimers();
        var run = RunAsync(Replica(clock), await ClaimAsync(), Token);

        // First two of the first page's three sessions, then the third, then the second page's two. When the job starts to wait, the calls of that
        // second are done.
        foreach (var (second, calls) in new[] { (1, 2), (2, 3), (3, 5) })
        {
            await Eventually.BecomesTrueAsync(() => Task.FromResult(clock.Timers == second), "the job waits");
            Assert.Equal(calls, await app.Pdi.CallsAsync("getSessionStatus"));
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(await run);
    }

    [Theory]
    // Another replica continues the run, or the run has failed and the next one continues the day.
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_interrupted_day_continues_and_counts_each_session_once(bool failed)
    {
        await SoldYesterdayAsync(5);
        var clock = new CountedTimers();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var row = await ClaimAsync();
        var first = RunAsync(Replica(clock), row, stop.Token);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(clock.Timers == 1), "two of a page of three are done");
        await stop.CancelAsync();
        Assert.False(await first);
        if (failed)
            Assert.True(await Runs.EndAsync(row, done: false, "It does not work.", Token));

        var next = (await Runs.ClaimAsync("reconciliation", failed ? row.ScheduledFor.AddDays(1) : row.ScheduledFor, TimeSpan.FromMinutes(1), Token))!;
        Assert.True(await RunAsync(Replica(TimeProvider.System), next, Token));

        Assert.Equal(5, await app.Pdi.CallsAsync("getSessionStatus"));
        Assert.Equal((DayText(1), 5), await LastDayAsync());
        Assert.Equal(failed ? 3 : 5, (await Runs.LatestAsync("reconciliation", 1, Token))[0].Handled);
    }

    [Fact]
    public async Task Findings_are_paged()
    {
        for (var number = 0; number < 3; number++)
            await SoldAsync();
        await YesterdayAsync();
        await app.ExecuteAsync("update sessions set earned_points = 1");
        await app.RunJobAsync("reconciliation");

        var first = await app.GetAsync("/ops/reconciliation?limit=2");
        var second = await app.GetAsync($"/ops/reconciliation?limit=2&after={Text(first.Json, "next")}");

        Assert.Equal((2, 1), (first.Json.GetProperty("findings").GetArrayLength(), second.Json.GetProperty("findings").GetArrayLength()));
        Assert.False(second.Json.TryGetProperty("next", out _));
        Assert.Equal((400, "validation_failed"), Of(await app.GetAsync("/ops/reconciliation?after=x&limit=0&resolved=maybe")));
    }

    private async Task<Sale> SoldAsync()
    {
        var sale = await new Sale(app).IdentifiedAsync();
        Assert.Equal(200, (await sale.FinalizeAsync()).Status);
        return sale;
    }

    private IJobRunStore Runs => app.Services.GetRequiredService<IJobRunStore>();

    private async Task SoldYesterdayAsync(int sales)
    {
        for (var number = 0; number < sales; number++)
            await SoldAsync();
        await YesterdayAsync();
    }

    /// <summary>The job in a separate replica with its own clock: two calls per second, three sessions per page.</summary>
    private (JobRunner, IJob) Replica(TimeProvider clock)
    {
        var limits = new JobLimits { BySchedule = false, BatchSize = 3, ReconcilePerSecond = 2 };
        IJob job = ActivatorUtilities.CreateInstance<ReconcileSessionsJob>(app.Services, limits, clock);
        return (ActivatorUtilities.CreateInstance<JobRunner>(app.Services, new[] { job }, limits, TimeProvider.System), job);
    }

    private static Task<bool> RunAsync((JobRunner Runner, IJob Job) replica, JobRunRow row, CancellationToken cancellationToken) =>
        replica.Runner.RunAsync(replica.Job, row, cancellationToken);

    private async Task<JobRunRow> ClaimAsync() =>
        (await Runs.ClaimAsync("reconciliation", TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1), Token))!;

    private Task DayIsDoneAsync(int daysAgo) => app.ExecuteAsync(
        $"insert into reconciliation_runs (day, checked, found, finished_at) values ('{DayText(daysAgo)}', 0, 0, {(backend is Backend.Postgres ? "now()" : "0")})");

    private async Task<(string, int)> LastDayAsync()
    {
        var last = (await app.GetAsync("/ops/reconciliation")).Json.GetProperty("lastDay");
        return (Text(last, "day"), last.GetProperty("checked").GetInt32());
    }

    private static string DayText(int daysAgo) => TimeProvider.System.GetUtcNow().AddDays(-daysAgo).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private Task YesterdayAsync() => app.MakeOlderAsync(TimeSpan.FromDays(1));

    private async Task<JsonElement[]> FindingsAsync(string query = "") =>
        [.. (await app.GetAsync("/ops/reconciliation" + query)).Json.GetProperty("findings").EnumerateArray()];

    private static string Text(JsonElement json, string member) => json.GetProperty(member).GetString()!;

    private static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);

    /// <summary>A clock that the test moves. It counts the waits that have begun.</summary>
    private sealed class CountedTimers : FakeTimeProvider
    {
        private int timers;

        public int Timers => Volatile.Read(ref timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref timers);
            return timer;
        }
    }
}

public sealed class ReconciliationOnPostgresTests() : ReconciliationTests(Backend.Postgres);

public sealed class ReconciliationOnSqliteTests() : ReconciliationTests(Backend.Sqlite);
