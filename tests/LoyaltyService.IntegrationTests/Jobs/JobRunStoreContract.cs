using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Sessions;
using LoyaltyService.Jobs;
using LoyaltyService.Security;

namespace LoyaltyService.IntegrationTests.Jobs;

/// <summary>The contract of every store of job runs, on PostgreSQL and on SQLite.</summary>
public abstract class JobRunStoreContract(Backend backend) : IAsyncLifetime
{
    private const string Job = "expire-sessions";

    private static readonly DateTimeOffset Two = new(2026, 1, 31, 2, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private StoreUnderTest under = null!;

    private IJobRunStore Runs => under.Runs;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => under = await StoreUnderTest.CreateAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await under.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_occurrence_is_claimed_once_during_and_after_its_run()
    {
        Assert.Equal((null, false), Of(await Runs.LookAsync(Job, Token)));

        var run = await ClaimAsync(Two);
        Assert.Equal((Two, true), Of(await Runs.LookAsync(Job, Token)));
        Assert.Null(await Runs.ClaimAsync(Job, Two, Lease, Token));

        Assert.True(await Runs.EndAsync(run, done: true, error: null, Token));
        Assert.Equal((Two, true), Of(await Runs.LookAsync(Job, Token)));
        Assert.Null(await Runs.ClaimAsync(Job, Two, Lease, Token));
        Assert.Equal(Two, await Runs.LastDoneAsync(Job, Token));
    }

    [Fact]
    public async Task One_of_twenty_concurrent_replicas_claims_the_run()
    {
        await under.OpenWholePoolAsync();
        var taken = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Runs.ClaimAsync(Job, Two, Lease, Token)));

        Assert.Single(taken, run => run is not null);
    }

    [Fact]
    public async Task A_run_with_an_expired_lease_is_taken_over_and_fences_its_holder()
    {
        var first = await ClaimAsync(Two);
        Assert.True(await Runs.ReportAsync(first, handled: 5, "here", Lease, Token));
        await Runs.LetGoAsync(first, TimeSpan.FromMilliseconds(-1), error: null, Token);

        var second = await ClaimAsync(Two);

        Assert.Equal((5L, "here", first.Fence + 1, 1), (second.Handled, second.Progress, second.Fence, second.Attempts));
        Assert.False(await Runs.ReportAsync(first, 1, "elsewhere", Lease, Token));
        Assert.False(await Runs.EndAsync(first, done: true, null, Token));
        Assert.False(await Runs.LetGoAsync(first, TimeSpan.Zero, null, Token));
        Assert.True(await Runs.ReportAsync(second, 2, "there", Lease, Token));
        Assert.Equal((7L, "there", null), Progress(await LatestAsync()));
    }

    [Fact]
    public async Task A_report_renews_the_lease()
    {
        var run = (await Runs.ClaimAsync(Job, Two, TimeSpan.FromMilliseconds(-1), Token))!;

        Assert.True(await Runs.ReportAsync(run, handled: 1, "here", Lease, Token));

        Assert.True((await LatestAsync()).IsHeld);
        Assert.Null(await Runs.ClaimAsync(Job, Two, Lease, Token));
    }

    [Fact]
    public async Task A_released_run_is_not_claimed_before_its_pause_ends()
    {
        var run = await ClaimAsync(Two);

        await Runs.LetGoAsync(run, TimeSpan.FromMinutes(1), "PDI is away.", Token);

        Assert.Null(await Runs.ClaimAsync(Job, Two, Lease, Token));
        Assert.Equal(("PDI is away.", 2), ((await LatestAsync()).Error, (await LatestAsync()).Attempts));
    }

    [Fact]
    public async Task A_manual_run_and_a_scheduled_one_do_not_overlap()
    {
        var byHand = await Runs.ClaimByHandAsync(Job, Lease, new AuditEntry(Operator.OfCommandLine(), JobEndpoints.RunJob, Job), Token);

        Assert.True(byHand!.ByHand);
        Assert.Null(await Runs.ClaimAsync(Job, Two, Lease, Token));
        Assert.NotNull(await Runs.ClaimAsync("archive-sessions", Two, Lease, Token));
        Assert.Equal((null, false), Of(await Runs.LookAsync(Job, Token)));

        await Runs.EndAsync(byHand, done: true, null, Token);
        Assert.NotNull(await Runs.ClaimAsync(Job, Two, Lease, Token));
    }

    [Fact]
    public async Task An_abandoned_run_fails_when_the_next_one_begins()
    {
        var abandoned = await ClaimAsync(Two);
        await Runs.LetGoAsync(abandoned, TimeSpan.FromMilliseconds(-1), null, Token);

        var next = await ClaimAsync(Two.AddMinutes(15));

        var runs = await Runs.LatestAsync(Job, 10, Token);
        Assert.Equal([next.ScheduledFor, Two], runs.Select(run => run.ScheduledFor));
        Assert.Equal(("failed", IJobRunStore.Superseded), (runs[1].Outcome, runs[1].Error));
        Assert.Equal((true, null), (runs[0].IsHeld, runs[0].Outcome));
        Assert.False(await Runs.EndAsync(abandoned, done: true, null, Token));
    }

    [Fact]
    public async Task Ended_runs_are_deleted_except_for_the_last_successful_one()
    {
        for (var hour = 0; hour < 3; hour++)
            await Runs.EndAsync(await ClaimAsync(Two.AddHours(hour)), done: hour < 2, hour < 2 ? null : "It failed.", Token);

        Assert.Equal(0, await Runs.ForgetAsync(TimeSpan.FromDays(1), Token));
        Assert.Equal(1, await Runs.ForgetAsync(TimeSpan.FromMilliseconds(-1), Token));
        Assert.Equal(Two.AddHours(1), await Runs.LastDoneAsync(Job, Token));
    }

    private async Task<JobRunRow> ClaimAsync(DateTimeOffset scheduledFor) =>
        await Runs.ClaimAsync(Job, scheduledFor, Lease, Token) ?? throw new InvalidOperationException("The run was not there to take.");

    private async Task<JobRunRow> LatestAsync() => Assert.Single(await Runs.LatestAsync(Job, 10, Token));

    private static (DateTimeOffset?, bool) Of(JobClock clock) => (clock.Latest, clock.IsSettled);

    private static (long, string?, string?) Progress(JobRunRow row) => (row.Handled, row.Progress, row.Outcome);
}

public sealed class PostgresJobRunStoreTests() : JobRunStoreContract(Backend.Postgres);

public sealed class SqliteJobRunStoreTests() : JobRunStoreContract(Backend.Sqlite);
