using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Sessions;
using LoyaltyService.Jobs;
using LoyaltyService.Security;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoyaltyService.IntegrationTests.Jobs;

/// <summary>The job runner with a test job on the real store.</summary>
public sealed class JobRunnerTests : IAsyncLifetime
{
    private static readonly JobLimits Eager = new() { Poll = TimeSpan.FromMilliseconds(20), RetryPause = TimeSpan.Zero, ReportEvery = TimeSpan.Zero };

    private StoreUnderTest under = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => under = await StoreUnderTest.CreateAsync(Backend.Postgres);

    public ValueTask DisposeAsync() => under.DisposeAsync();

    [Fact]
    public async Task One_of_three_replicas_runs_a_missed_occurrence_at_start()
    {
        var job = new CountingJob();
        var replicas = Enumerable.Range(0, 3).Select(_ => Runner(job)).ToArray();

        foreach (var replica in replicas)
            await replica.StartAsync(Token);
        await Eventually.BecomesTrueAsync(async () => (await LatestAsync())?.Outcome == "done", "the run is done");
        // A second poll finds nothing to do.
        foreach (var replica in replicas)
            Assert.Null(await replica.ClaimDueAsync(job, Token));
        foreach (var replica in replicas)
            await replica.StopAsync(Token);

        Assert.Equal(1, job.Runs);
        Assert.Equal((false, 3L), ((await LatestAsync())!.ByHand, (await LatestAsync())!.Handled));
    }

    [Fact]
    public async Task A_failing_job_is_tried_three_times_per_occurrence()
    {
        var job = new CountingJob { Fails = true };
        var runner = Runner(job);

        await runner.StartAsync(Token);
        await Eventually.BecomesTrueAsync(async () => (await LatestAsync())?.Outcome == "failed", "the run has failed");
        Assert.Null(await runner.ClaimDueAsync(job, Token));
        await runner.StopAsync(Token);

        Assert.Equal(3, job.Runs);
        Assert.Equal(("It does not work.", 3), ((await LatestAsync())!.Error, (await LatestAsync())!.Attempts));
    }

    [Fact]
    public async Task A_stopping_replica_hands_its_run_over_at_its_progress()
    {
        var stopping = new CountingJob { HangsAfterFirstReport = true };
        var first = Runner(stopping);
        await first.StartAsync(Token);
        await Eventually.BecomesTrueAsync(async () => (await LatestAsync())?.Progress == "1", "the first part is done");
        await first.StopAsync(Token);

        var goingOn = new CountingJob();
        var second = Runner(goingOn);
        await second.StartAsync(Token);
        await Eventually.BecomesTrueAsync(async () => (await LatestAsync())?.Outcome == "done", "the run is done");
        await second.StopAsync(Token);

        Assert.Equal(["1"], stopping.Reported);
        Assert.Equal(["2", "3"], goingOn.Reported);
        Assert.Equal((3L, 2), ((await LatestAsync())!.Handled, (await LatestAsync())!.Fence));
    }

    [Fact]
    public async Task Only_failures_count_as_attempts_not_stopping_replicas()
    {
        var stopping = new CountingJob { HangsAfterFirstReport = true };
        var (occurrence, row) = (TimeProvider.System.GetUtcNow(), (JobRunRow?)null);
        for (var restart = 0; restart < Eager.MaxAttempts; restart++)
        {
            row = (await under.Runs.ClaimAsync(stopping.Name, occurrence, Eager.Lease, Token))!;
            Assert.False(await Runner(stopping).RunAsync(stopping, row, new CancellationToken(canceled: true)));
        }

        var failing = new CountingJob { Fails = true };
        row = (await under.Runs.ClaimAsync(failing.Name, row!.ScheduledFor, Eager.Lease, Token))!;
        Assert.False(await Runner(failing).RunAsync(failing, row, Token));

        Assert.Equal((null, 2, 4), ((await LatestAsync())!.Outcome, (await LatestAsync())!.Attempts, (await LatestAsync())!.Fence));
    }

    [Fact]
    public async Task A_manual_run_fails_with_a_reason_when_its_process_stops()
    {
        var job = new CountingJob { HangsAfterFirstReport = true };
        var row = (await under.Runs.ClaimByHandAsync(job.Name, Eager.Lease, new AuditEntry(Operator.OfCommandLine(), JobEndpoints.RunJob, job.Name), Token))!;

        Assert.False(await Runner(job).RunAsync(job, row, new CancellationToken(canceled: true)));

        Assert.Equal(("failed", IJobRunStore.Interrupted), ((await LatestAsync())!.Outcome, (await LatestAsync())!.Error));
    }

    [Fact]
    public async Task A_holder_with_an_expired_lease_stops_at_its_next_report()
    {
        var job = new CountingJob();
        var row = (await under.Runs.ClaimAsync(job.Name, TimeProvider.System.GetUtcNow(), TimeSpan.FromMilliseconds(-1), Token))!;
        var takenOver = (await under.Runs.ClaimAsync(job.Name, row.ScheduledFor, TimeSpan.FromMinutes(1), Token))!;

        Assert.False(await Runner(job).RunAsync(job, row, Token));

        Assert.Empty(job.Reported);
        Assert.Equal((takenOver.Fence, true), ((await LatestAsync())!.Fence, (await LatestAsync())!.IsHeld));
    }

    private JobRunner Runner(IJob job) =>
        new JobRunner([job], under.Runs, Eager, new JobMetrics(new Meter("test"), [job]), TimeProvider.System, NullLogger<JobRunner>.Instance);

    private async Task<JobRunRow?> LatestAsync() => (await under.Runs.LatestAsync("counting", 1, Token)) is [var run] ? run : null;

    /// <summary>Counts to three and reports each number.</summary>
    private sealed class CountingJob : IJob
    {
        private int runs;

        public string Name => "counting";

        // A minute in the past, today or yesterday, which does not come again during the test.
        public string Schedule { get; } = $"{TimeProvider.System.GetUtcNow().AddHours(-2).Minute} {TimeProvider.System.GetUtcNow().AddHours(-2).Hour} * * *";

        public bool Fails { get; init; }

        public bool HangsAfterFirstReport { get; init; }

        public int Runs => runs;

        public ConcurrentQueue<string> Reported { get; } = [];

        public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref runs);
            if (Fails)
                throw new InvalidOperationException("It does not work.");
            for (var number = int.Parse(run.Progress ?? "0") + 1; number <= 3; number++)
            {
                await run.ReportAsync(handled: 1, $"{number}", cancellationToken);
                Reported.Enqueue($"{number}");
                if (HangsAfterFirstReport)
                    await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            }
        }
    }
}
