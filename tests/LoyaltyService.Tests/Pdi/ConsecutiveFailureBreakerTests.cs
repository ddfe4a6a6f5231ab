using LoyaltyService.Pdi;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.Pdi;

public sealed class ConsecutiveFailureBreakerTests
{
    private static readonly TimeSpan Instant = TimeSpan.FromTicks(1);
    private static readonly TimeSpan OpenTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(11);

    private readonly BreakerUnderTest pdi = new();

    /// <summary>The outcomes that reveal nothing about PDI.</summary>
    public static TheoryData<string> NeutralEnds => [.. BreakerUnderTest.NeutralEnds.Keys];

    [Fact]
    public async Task A_success_resets_the_failure_count()
    {
        await FailAsync(4);
        await SucceedAsync();
        await FailAsync(4);

        Assert.Equal((BreakerState.Closed, TimeSpan.Zero), (pdi.Breaker.State, pdi.Breaker.Wait));
        await SucceedAsync();
    }

    [Fact]
    public async Task The_fifth_failure_in_a_row_opens_it()
    {
        await FailAsync(4);
        Assert.Equal(BreakerState.Closed, pdi.Breaker.State);

        await FailAsync(1);

        Assert.Equal((BreakerState.Open, OpenTime), (pdi.Breaker.State, pdi.Breaker.Wait));
    }

    [Fact]
    public async Task Five_concurrent_failures_open_it()
    {
        var calls = Enumerable.Range(0, 5).Select(_ => pdi.Start()).ToArray();

        foreach (var call in calls)
            await call.EndAsync(BreakerVerdict.Failure);

        Assert.Equal(BreakerState.Open, pdi.Breaker.State);
    }

    [Fact]
    public async Task An_open_breaker_fails_fast_with_the_remaining_time()
    {
        await OpenAsync();

        foreach (var passed in new[] { TimeSpan.Zero, TimeSpan.FromSeconds(12.5), TimeSpan.FromSeconds(17.5) - Instant })
        {
            pdi.Clock.Advance(passed);

            var refused = pdi.Start();

            Assert.False(refused.HasRun);
            var told = await Assert.ThrowsAsync<PdiUnavailableException>(() => refused.Ended);
            Assert.Equal((true, false, false), (told.IsRefusedByBreaker, told.MayHaveReached, told.IsThrottled));
            Assert.Equal((pdi.Breaker.Wait, pdi.Breaker.Wait), (told.RetryAfter, told.AskedToWait));
        }

        Assert.Equal((BreakerState.Open, Instant), (pdi.Breaker.State, pdi.Breaker.Wait));
    }

    [Fact]
    public async Task It_stays_open_for_exactly_thirty_seconds()
    {
        await OpenAsync();

        pdi.Clock.Advance(OpenTime - Instant);
        Assert.False(pdi.Start().HasRun);
        pdi.Clock.Advance(Instant);

        Assert.Equal((BreakerState.HalfOpen, TimeSpan.Zero), (pdi.Breaker.State, pdi.Breaker.Wait));
        Assert.True(pdi.Start().HasRun);
    }

    [Fact]
    public async Task Refused_calls_do_not_extend_the_break()
    {
        await OpenAsync();
        for (var second = 0; second < 30; second++)
        {
            Assert.False(pdi.Start().HasRun);
            pdi.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(pdi.Start().HasRun);
    }

    [Fact]
    public async Task Exactly_one_of_a_hundred_concurrent_callers_is_the_probe()
    {
        for (var round = 0; round < 20; round++)
        {
            var pdi = new BreakerUnderTest();
            await FailAsync(5, pdi);
            pdi.Clock.Advance(OpenTime);
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var callers = Enumerable.Range(0, 100).Select(_ => StartWithTheOthersAsync()).ToArray();

            start.SetResult();
            var calls = await Task.WhenAll(callers);

            var probe = Assert.Single(calls, call => call.HasRun);
            Assert.All(calls.Except([probe]), call => Assert.IsType<PdiUnavailableException>(call.Ended.Exception?.InnerException));
            await probe.EndAsync(BreakerVerdict.Success);
            Assert.Equal(BreakerState.Closed, pdi.Breaker.State);

            async Task<BreakerUnderTest.Call> StartWithTheOthersAsync()
            {
                await start.Task;
                return pdi.Start();
            }
        }
    }

    [Fact]
    public async Task A_successful_probe_closes_it_and_raises_Closed_once()
    {
        var probe = await ProbeAsync();
        Assert.Equal((BreakerState.HalfOpen, 0), (pdi.Breaker.State, pdi.TimesClosed));

        await probe.EndAsync(BreakerVerdict.Success);
        await SucceedAsync();
        await FailAsync(1);
        await SucceedAsync();

        Assert.Equal((BreakerState.Closed, 1), (pdi.Breaker.State, pdi.TimesClosed));
    }

    [Fact]
    public async Task A_handler_of_Closed_can_call_at_once()
    {
        BreakerUnderTest.Call? next = null;
        pdi.Breaker.Closed += () => next = pdi.Start();

        await (await ProbeAsync()).EndAsync(BreakerVerdict.Success);

        Assert.True(next?.HasRun);
    }

    [Fact]
    public async Task After_the_probe_five_more_failures_open_it()
    {
        await (await ProbeAsync()).EndAsync(BreakerVerdict.Success);

        await FailAsync(4);
        Assert.Equal(BreakerState.Closed, pdi.Breaker.State);
        await FailAsync(1);

        Assert.Equal((BreakerState.Open, OpenTime), (pdi.Breaker.State, pdi.Breaker.Wait));
    }

    [Fact]
    public async Task A_failed_probe_opens_it_for_another_thirty_seconds()
    {
        var probe = await ProbeAsync();
        pdi.Clock.Advance(TimeSpan.FromSeconds(5));

        await probe.EndAsync(BreakerVerdict.Failure);

        Assert.Equal((BreakerState.Open, OpenTime), (pdi.Breaker.State, pdi.Breaker.Wait));
        pdi.Clock.Advance(OpenTime - Instant);
        Assert.False(pdi.Start().HasRun);
        pdi.Clock.Advance(Instant);
        Assert.True(pdi.Start().HasRun);
        Assert.Equal(0, pdi.TimesClosed);
    }

    [Theory]
    [MemberData(nameof(NeutralEnds))]
    public async Task An_inconclusive_probe_lets_the_next_call_probe_at_once(string end)
    {
        await (await ProbeAsync()).EndAsync(BreakerUnderTest.NeutralEnds[end]);

        Assert.Equal((BreakerState.HalfOpen, TimeSpan.Zero, 0), (pdi.Breaker.State, pdi.Breaker.Wait, pdi.TimesClosed));
        var next = pdi.Start();
        Assert.True(next.HasRun);
        Assert.False(pdi.Start().HasRun);
        await next.EndAsync(BreakerVerdict.Success);
        Assert.Equal((BreakerState.Closed, 1), (pdi.Breaker.State, pdi.TimesClosed));
    }

    [Fact]
    public async Task A_cancelled_probe_lets_the_next_call_probe()
    {
        await OpenAsync();
        pdi.Clock.Advance(OpenTime);
        using var patience = new CancellationTokenSource();
        var probe = pdi.StartFor(patience);

        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probe.Ended);
        Assert.True(pdi.Start().HasRun);
    }

    [Fact]
    public async Task A_hung_probe_blocks_others_for_eleven_seconds()
    {
        await ProbeAsync();

        pdi.Clock.Advance(Lease - Instant);
        var early = pdi.Start();
        Assert.False(early.HasRun);
        Assert.Equal(Instant, (await Assert.ThrowsAsync<PdiUnavailableException>(() => early.Ended)).RetryAfter);
        pdi.Clock.Advance(Instant);

        Assert.True(pdi.Start().HasRun);
        Assert.False(pdi.Start().HasRun);
    }

    [Theory]
    [InlineData(BreakerVerdictName.Success)]
    [InlineData(BreakerVerdictName.Failure)]
    [InlineData(BreakerVerdictName.Neutral)]
    public async Task The_late_result_of_a_hung_probe_is_ignored(BreakerVerdictName verdict)
    {
        var hung = await ProbeAsync();
        pdi.Clock.Advance(Lease);
        var next = pdi.Start();

        await hung.EndAsync((BreakerVerdict)verdict);

        Assert.Equal((BreakerState.HalfOpen, Lease, 0), (pdi.Breaker.State, pdi.Breaker.Wait, pdi.TimesClosed));
        Assert.False(pdi.Start().HasRun);
        await next.EndAsync(BreakerVerdict.Success);
        Assert.Equal((BreakerState.Closed, 1), (pdi.Breaker.State, pdi.TimesClosed));
    }

    [Theory]
    [InlineData(BreakerVerdictName.Success)]
    [InlineData(BreakerVerdictName.Failure)]
    [InlineData(BreakerVerdictName.Neutral)]
    public async Task The_late_result_of_a_call_from_before_the_break_is_ignored(BreakerVerdictName verdict)
    {
        var early = Enumerable.Range(0, 10).Select(_ => pdi.Start()).ToArray();
        await OpenAsync();

        await early[0].EndAsync((BreakerVerdict)verdict);
        Assert.Equal((BreakerState.Open, OpenTime), (pdi.Breaker.State, pdi.Breaker.Wait));

        pdi.Clock.Advance(OpenTime);
        var probe = pdi.Start();
        await early[1].EndAsync((BreakerVerdict)verdict);
        Assert.Equal((BreakerState.HalfOpen, Lease, 0), (pdi.Breaker.State, pdi.Breaker.Wait, pdi.TimesClosed));

        await probe.EndAsync(BreakerVerdict.Success);
        await FailAsync(4);
        foreach (var late in early[2..])
            await late.EndAsync((BreakerVerdict)verdict);
        Assert.Equal(BreakerState.Closed, pdi.Breaker.State);
        // A late success must not reset the four failures either.
        await FailAsync(1);
        Assert.Equal((BreakerState.Open, 1), (pdi.Breaker.State, pdi.TimesClosed));
    }

    [Theory]
    [MemberData(nameof(NeutralEnds))]
    public async Task An_inconclusive_call_counts_neither_way(string end)
    {
        for (var call = 0; call < 20; call++)
            await pdi.Start().EndAsync(BreakerUnderTest.NeutralEnds[end]);
        await FailAsync(4);
        for (var call = 0; call < 20; call++)
            await pdi.Start().EndAsync(BreakerUnderTest.NeutralEnds[end]);
        Assert.Equal(BreakerState.Closed, pdi.Breaker.State);

        await FailAsync(1);

        Assert.Equal(BreakerState.Open, pdi.Breaker.State);
    }

    [Fact]
    public async Task Business_refusals_count_as_successes()
    {
        var pipeline = BreakerUnderTest.Alone(pdi.Breaker);
        await FailAsync(4);

        await pipeline.ExecuteAsync(static _ => new ValueTask<PdiResult<PdiReceipt>>(new PdiRejection("INSUFFICIENT_POINTS", "Too few.")), TestContext.Current.CancellationToken);
        await FailAsync(4);

        Assert.Equal(BreakerState.Closed, pdi.Breaker.State);
    }

    [Theory]
    [InlineData(-365)]
    [InlineData(365)]
    public async Task A_jump_of_the_wall_clock_changes_nothing(int days)
    {
        var clock = new HardwareClock();
        var pdi = new BreakerUnderTest(clock.Inner, clock);
        await FailAsync(5, pdi);

        clock.WallOffset = TimeSpan.FromDays(days);
        Assert.Equal((BreakerState.Open, OpenTime), (pdi.Breaker.State, pdi.Breaker.Wait));

        pdi.Clock.Advance(OpenTime);
        var probe = pdi.Start();
        clock.WallOffset = TimeSpan.FromDays(-days);
        Assert.Equal((BreakerState.HalfOpen, Lease), (pdi.Breaker.State, pdi.Breaker.Wait));
        Assert.False(pdi.Start().HasRun);
        await probe.EndAsync(BreakerVerdict.Success);
        Assert.Equal(BreakerState.Closed, pdi.Breaker.State);
    }

    [Fact]
    public async Task The_timestamp_unit_does_not_change_the_durations()
    {
        var clock = new HardwareClock();
        var pdi = new BreakerUnderTest(clock.Inner, clock);
        await FailAsync(5, pdi);

        clock.Inner.Advance(OpenTime - Instant);
        Assert.Equal((BreakerState.Open, Instant), (pdi.Breaker.State, pdi.Breaker.Wait));
        clock.Inner.Advance(Instant);

        Assert.Equal(BreakerState.HalfOpen, pdi.Breaker.State);
    }

    [Fact]
    public async Task In_the_real_pipeline_every_attempt_counts_and_a_break_stops_retries()
    {
        var pipeline = PdiResilience.Create(new PdiOptions { FirstBackoff = TimeSpan.Zero }, pdi.Breaker, pdi.Clock);
        var attempts = 0;
        await Assert.ThrowsAsync<PdiUnavailableException>(() => FailingAsync());
        Assert.Equal((4, BreakerState.Closed), (attempts, pdi.Breaker.State));

        var ended = await Assert.ThrowsAsync<PdiUnavailableException>(() => FailingAsync());

        Assert.Equal((5, BreakerState.Open), (attempts, pdi.Breaker.State));
        Assert.Equal((true, OpenTime), (ended.IsRefusedByBreaker, ended.RetryAfter));

        Task FailingAsync() => pipeline.ExecuteAsync(
            _ =>
            {
                attempts++;
                throw new PdiUnavailableException("down", mayHaveReached: true);
            }, TestContext.Current.CancellationToken).AsTask();
    }

    private async Task OpenAsync()
    {
        await FailAsync(5);
        Assert.Equal(BreakerState.Open, pdi.Breaker.State);
    }

    private async Task<BreakerUnderTest.Call> ProbeAsync()
    {
        await OpenAsync();
        pdi.Clock.Advance(OpenTime);
        var probe = pdi.Start();
        Assert.True(probe.HasRun);
        return probe;
    }

    private async Task SucceedAsync() => await pdi.Start().EndAsync(BreakerVerdict.Success);

    private Task FailAsync(int times) => FailAsync(times, pdi);

    private static async Task FailAsync(int times, BreakerUnderTest pdi)
    {
        for (var failure = 0; failure < times; failure++)
            await pdi.Start().EndAsync(BreakerVerdict.Failure);
    }

    /// <summary>Names of the internal verdicts, for public test methods.</summary>
    public enum BreakerVerdictName
    {
        Success = BreakerVerdict.Success,
        Failure = BreakerVerdict.Failure,
        Neutral = BreakerVerdict.Neutral,
    }

    /// <summary>A wall clock that can be set, and a monotonic clock in nanoseconds that runs on.</summary>
    private sealed class HardwareClock : TimeProvider
    {
        public FakeTimeProvider Inner { get; } = new();

        public TimeSpan WallOffset { get; set; }

        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp() => Inner.GetTimestamp() * 100;

        public override DateTimeOffset GetUtcNow() => Inner.GetUtcNow() + WallOffset;
    }
}
