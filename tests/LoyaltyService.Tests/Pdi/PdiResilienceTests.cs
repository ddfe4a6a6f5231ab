using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;
using LoyaltyService.Pdi;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoyaltyService.Tests.Pdi;

/// <summary>The complete client with the service's pipeline. Only the network and the clock are fakes.</summary>
public sealed class PdiResilienceTests : IDisposable
{
    private const string Receipt = """{"pdiSessionId":"pdi-1","receiptId":"R-1","earnedPoints":450,"redeemedPoints":0,"newBalance":1650}""";
    private const string Finalized = """{"pdiSessionId":"pdi-1","status":"finalized","earnedPoints":450,"redeemedPoints":0,"newBalance":1650,"receiptId":"R-1"}""";
    private const string Open = """{"pdiSessionId":"pdi-1","status":"open"}""";

    private static readonly TimeSpan Instant = TimeSpan.FromTicks(1);
    private static readonly PdiReceipt TheReceipt = new("pdi-1", "R-1", 450, 0, 1650);
    private static readonly PdiFinalizeRequest FinalizeRequest = new("pdi-1", "T-1", 150.00m, 450, 0, true);

    private readonly PauseClock clock = new();
    private readonly ConsecutiveFailureBreaker breaker;
    private readonly FakePdi pdi;
    private readonly PdiClient client;

    public PdiResilienceTests()
    {
        var options = new PdiOptions { TokenFirstBackoff = TimeSpan.Zero };
        breaker = new ConsecutiveFailureBreaker(options, PdiResilience.Judge, clock, NullLogger<ConsecutiveFailureBreaker>.Instance);
        pdi = new FakePdi { Clock = clock, Options = options, Pipeline = PdiResilience.Create(options, breaker, clock) };
        client = pdi.CreateClient();
    }

    private static readonly Dictionary<string, Operation> Operations = new()
    {
        ["identify"] = new(
            """{"pdiSessionId":"pdi-1","customerId":"C-1","customerName":"John Doe","currentPoints":1200,"tier":"Gold"}""", 5,
            async client => Parts(await client.IdentifyAsync(new PdiIdentifyRequest("C-1", "POS-1", "T-1", null), "key-1"))),
        ["calculateRewards"] = new(
            """{"pdiSessionId":"pdi-1","basePoints":300,"tierBonus":150,"bonusPoints":150,"earnedPoints":450,"multiplier":3.0}""", 8,
            async client => Parts(await client.CalculateAsync(new PdiCalculateRequest("pdi-1", 150.00m, [], null)))),
        ["finalize"] = new(Receipt, 10, async client => Parts(await client.FinalizeAsync(FinalizeRequest, "key-1", inDoubt: false))),
        ["getSessionStatus"] = new(Open, 3, async client => Parts(await client.GetSessionStatusAsync("pdi-1"))),
    };

    private static readonly Dictionary<string, Func<HttpResponseMessage>> Failures = new()
    {
        ["408"] = () => Status(408),
        ["429"] = () => Status(429),
        ["500"] = () => Status(500),
        ["503"] = () => Status(503),
        ["a cut body"] = () => FakePdi.Json("""{"pdiSessionId":"pdi-1",""" + "\"re"),
        ["no contract"] = () => FakePdi.Json("<html></html>"),
        ["a reset"] = () => throw new HttpRequestException(HttpRequestError.ResponseEnded, "reset"),
        ["no connection"] = ConnectionRefused,
    };

    public static TheoryData<string> Calls => [.. Operations.Keys];

    public static TheoryData<string, string, int> FailuresOfEachCall =>
    [
        .. from call in Operations.Keys from failure in Failures.Keys from times in Enumerable.Range(1, 3)
           where call != "finalize" || failure == "no connection"
           select (call, failure, times),
    ];

    /// <summary>Outcomes of an attempt after which PDI may have committed.</summary>
    public static TheoryData<string> Doubts => [.. Failures.Keys.Where(failure => failure != "no connection")];

    [Theory]
    [MemberData(nameof(FailuresOfEachCall))]
    public async Task A_failed_attempt_is_retried_three_times_with_the_same_key_and_body(string call, string failure, int times)
    {
        pdi.OnCall = (number, _) => Task.FromResult(number <= times ? Failures[failure]() : FakePdi.Json(Operations[call].Good));

        var (value, _) = await PassPausesAsync(Operations[call].RunAsync(client));

        Assert.NotNull(value);
        Assert.Equal(times + 1, pdi.BusinessCalls.Count);
        Assert.Single(pdi.BusinessCalls.Distinct());
        if (call is "identify" or "finalize")
            Assert.Equal("key-1", pdi.BusinessCalls[0].IdempotencyKey);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task After_four_attempts_it_fails_with_the_last_error(string call)
    {
        pdi.OnCall = (number, _) => Task.FromResult(number < 4 ? ConnectionRefusedOr500(call) : Status(503, retryAfterSeconds: 77));

        var failure = await Assert.ThrowsAsync<PdiUnavailableException>(() => PassPausesAsync(Operations[call].RunAsync(client)));

        Assert.Equal(4, pdi.BusinessCalls.Count);
        Assert.Equal((TimeSpan.FromSeconds(77), true), (failure.RetryAfter, failure.MayHaveReached));

        static HttpResponseMessage ConnectionRefusedOr500(string call) => call == "finalize" ? ConnectionRefused() : Status(500);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_business_refusal_is_not_retried_and_counts_as_a_success(string call)
    {
        await FailAsync(times: 4);
        pdi.OnCall = (_, _) => Task.FromResult(Rejected("INSUFFICIENT_POINTS"));
        var before = pdi.BusinessCalls.Count;

        var (_, rejection) = await PassPausesAsync(Operations[call].RunAsync(client));

        Assert.Equal("INSUFFICIENT_POINTS", rejection?.Code);
        Assert.Equal(1, pdi.BusinessCalls.Count - before);
        await FailAsync(times: 4);
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Refused_credentials_are_resent_only_once(string call)
    {
        pdi.OnCall = (_, _) => Task.FromResult(Status(401));

        for (var round = 1; round <= 5; round++)
        {
            await Assert.ThrowsAsync<PdiAuthenticationException>(() => PassPausesAsync(Operations[call].RunAsync(client)));
            Assert.Equal((2 * round, 0), (pdi.BusinessCalls.Count, clock.Passed.Count));
        }

        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_refused_token_request_is_not_retried(string call)
    {
        pdi.OnToken = (_, _) => Task.FromResult(Status(401));

        await Assert.ThrowsAsync<PdiAuthenticationException>(() => PassPausesAsync(Operations[call].RunAsync(client)));

        Assert.Equal((3, 0), (pdi.TokenCalls.Count, pdi.BusinessCalls.Count));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Five_failed_attempts_over_two_calls_open_the_breaker(string call)
    {
        pdi.OnCall = (_, _) => Task.FromResult(Status(500));
        await Assert.ThrowsAsync<PdiUnavailableException>(() => PassPausesAsync(Operations[call].RunAsync(client)));
        Assert.Equal((4, BreakerState.Closed), (pdi.BusinessCalls.Count, breaker.State));
        await Assert.ThrowsAsync<PdiUnavailableException>(() => PassPausesAsync(Operations[call].RunAsync(client)));
        Assert.Equal((5, BreakerState.Open), (pdi.BusinessCalls.Count, breaker.State));
        var passed = clock.Passed.Count;

        var refused = Operations[call].RunAsync(client);

        // Fails fast: no timer, so the clock need not advance.
        Assert.True(refused.IsFaulted);
        Assert.True((await Assert.ThrowsAsync<PdiUnavailableException>(() => refused)).IsRefusedByBreaker);
        Assert.Equal((5, passed), (pdi.BusinessCalls.Count, clock.Passed.Count));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_successful_probe_after_thirty_seconds_closes_the_breaker(string call)
    {
        await FailAsync(times: 4);
        await FailAsync(times: 1);
        clock.Advance(TimeSpan.FromSeconds(30));
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        pdi.OnCall = (_, _) => answer.Task;
        var before = pdi.BusinessCalls.Count;

        var probe = Operations[call].RunAsync(client);
        var refused = await Assert.ThrowsAsync<PdiUnavailableException>(() => Operations[call].RunAsync(client));
        answer.SetResult(FakePdi.Json(Operations[call].Good));

        Assert.NotNull((await probe).Value);
        Assert.True(refused.IsRefusedByBreaker);
        Assert.Equal((1, BreakerState.Closed), (pdi.BusinessCalls.Count - before, breaker.State));
    }

    [Fact]
    public async Task A_429_is_retried_and_never_opens_the_breaker()
    {
        pdi.OnCall = (_, _) => Task.FromResult(Status(429));

        for (var call = 0; call < 5; call++)
            await Assert.ThrowsAsync<PdiUnavailableException>(() => PassPausesAsync(Operations["identify"].RunAsync(client)));

        Assert.Equal((20, BreakerState.Closed), (pdi.BusinessCalls.Count, breaker.State));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_timeout_counts_as_one_failure_and_five_open_the_breaker(string call)
    {
        for (var failed = 1; failed <= 5; failed++)
        {
            Assert.Equal(BreakerState.Closed, breaker.State);
            var arrived = HangFrom(number: failed);
            var running = Operations[call].RunAsync(client);
            await arrived;
            clock.Advance(Operations[call].Budget);
            await Assert.ThrowsAsync<PdiUnavailableException>(() => InTimeAsync(running));
        }

        Assert.Equal((5, BreakerState.Open), (pdi.BusinessCalls.Count, breaker.State));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task The_budget_covers_all_attempts_and_pauses(string call)
    {
        var started = clock.GetTimestamp();
        var arrived = HangFrom(number: 3);

        var running = Operations[call].RunAsync(client);
        await PassPausesUntilAsync(arrived);
        clock.Advance(Operations[call].Budget - clock.GetElapsedTime(started) - Instant);
        Assert.False(running.IsCompleted);
        clock.Advance(Instant);

        Assert.True((await Assert.ThrowsAsync<PdiUnavailableException>(() => InTimeAsync(running))).MayHaveReached);
        Assert.Equal((3, Operations[call].Budget), (pdi.BusinessCalls.Count, clock.GetElapsedTime(started)));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task The_budget_covers_reading_the_body(string call)
    {
        var started = clock.GetTimestamp();
        var body = new HangingStream();
        pdi.OnCall = (number, _) => Task.FromResult(number == 1 ? ConnectionRefused() : new HttpResponseMessage { Content = new StreamContent(body) });

        var running = Operations[call].RunAsync(client);
        await PassPausesUntilAsync(body.Arrived.Task);
        clock.Advance(Operations[call].Budget - clock.GetElapsedTime(started) - Instant);
        Assert.False(running.IsCompleted);
        clock.Advance(Instant);

        Assert.True((await Assert.ThrowsAsync<PdiUnavailableException>(() => InTimeAsync(running))).MayHaveReached);
        Assert.Equal(2, pdi.BusinessCalls.Count);
    }

    [Fact]
    public async Task Finalizes_budget_covers_its_status_lookup()
    {
        var started = clock.GetTimestamp();
        var arrived = HangFrom(number: 2);

        var running = Operations["finalize"].RunAsync(client);
        await PassPausesUntilAsync(arrived);
        clock.Advance(TimeSpan.FromSeconds(10) - clock.GetElapsedTime(started));

        Assert.True((await Assert.ThrowsAsync<PdiUnavailableException>(() => InTimeAsync(running))).MayHaveReached);
        Assert.Equal(["finalize", "getSessionStatus"], Asked());
    }

    [Fact]
    public async Task A_budget_that_runs_out_in_a_pause_ends_the_call()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        var again = new TaskCompletionSource();
        pdi.OnCall = async (number, ended) =>
        {
            if (number == 1)
                return await answer.Task;
            again.TrySetResult();
            return await new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(ended);
        };
        var running = Operations["identify"].RunAsync(client);
        clock.Advance(TimeSpan.FromSeconds(5) - Instant);
        answer.SetResult(Status(500));
        // A pause below a millisecond has no timer; the next attempt starts at once.
        await InTimeAsync(Task.WhenAny(clock.PauseBeginsAsync(), again.Task));
        Assert.False(running.IsCompleted);

        clock.Advance(Instant);

        await Assert.ThrowsAsync<PdiUnavailableException>(() => InTimeAsync(running));
        Assert.InRange(pdi.BusinessCalls.Count, 1, 2);
    }

    [Fact]
    public async Task Pauses_have_full_jitter_below_a_doubling_limit()
    {
        var pauses = new List<List<TimeSpan>>();
        for (var round = 0; round < 60; round++)
        {
            using var fresh = new PdiResilienceTests();
            fresh.pdi.OnCall = (_, _) => Task.FromResult(Status(500));
            await Assert.ThrowsAsync<PdiUnavailableException>(() => fresh.PassPausesAsync(Operations["calculateRewards"].RunAsync(fresh.client)));
            // A pause below a millisecond has no timer, so this skips its round.
            if (fresh.clock.Passed.Count == 3)
                pauses.Add(fresh.clock.Passed);
        }

        foreach (var (number, bound) in new[] { (0, 0.2), (1, 0.4), (2, 0.8) })
        {
            var seconds = pauses.Select(each => each[number].TotalSeconds).ToArray();
            Assert.All(seconds, pause => Assert.InRange(pause, 0, bound));
            // Full jitter reaches both halves of the range. 60 fair draws miss one half with a probability of about 2^-59.
            Assert.Contains(seconds, pause => pause < bound / 2);
            Assert.Contains(seconds, pause => pause > bound / 2);
        }
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task Retry_After_is_respected_if_it_fits_the_budget(int status)
    {
        pdi.OnCall = (number, _) => Task.FromResult(number == 1 ? Status(status, retryAfterSeconds: 3) : FakePdi.Json(Operations["identify"].Good));

        await PassPausesAsync(Operations["identify"].RunAsync(client));

        Assert.Equal([TimeSpan.FromSeconds(3)], clock.Passed);
    }

    [Fact]
    public async Task A_short_Retry_After_does_not_shorten_the_pause()
    {
        pdi.OnCall = (number, _) => Task.FromResult(number == 1 ? Status(503, retryAfterSeconds: 0) : FakePdi.Json(Operations["identify"].Good));

        await PassPausesAsync(Operations["identify"].RunAsync(client));

        Assert.Equal(2, pdi.BusinessCalls.Count);
        Assert.All(clock.Passed, pause => Assert.InRange(pause, Instant, TimeSpan.FromSeconds(0.2)));
    }

    [Theory]
    [InlineData(6)]
    [InlineData(3600)]
    [InlineData(int.MaxValue)]
    public async Task A_Retry_After_beyond_the_budget_fails_fast_and_is_passed_on(int seconds)
    {
        pdi.OnCall = (_, _) => Task.FromResult(Status(503, retryAfterSeconds: seconds));

        var failure = await Assert.ThrowsAsync<PdiUnavailableException>(() => InTimeAsync(Operations["identify"].RunAsync(client)));

        Assert.Equal(TimeSpan.FromSeconds(seconds), failure.AskedToWait);
        Assert.Equal((1, 0), (pdi.BusinessCalls.Count, clock.Passed.Count));
    }

    [Fact]
    public async Task Retry_After_counts_against_the_remaining_budget()
    {
        pdi.OnCall = (_, _) => Task.FromResult(Status(503, retryAfterSeconds: 3));

        var failure = await Assert.ThrowsAsync<PdiUnavailableException>(() => PassPausesAsync(Operations["identify"].RunAsync(client)));

        Assert.Equal(TimeSpan.FromSeconds(3), failure.AskedToWait);
        Assert.Equal((2, 1), (pdi.BusinessCalls.Count, clock.Passed.Count));
    }

    [Theory]
    [MemberData(nameof(Doubts))]
    public async Task In_doubt_finalize_first_looks_up_the_receipt(string doubt)
    {
        Answers(Failures[doubt], () => FakePdi.Json(Finalized));

        var result = await PassPausesAsync(FinalizeAsync());

        Assert.Equal(TheReceipt, result.Value);
        Assert.Equal(["finalize", "getSessionStatus"], Asked());
    }

    [Theory]
    [MemberData(nameof(Doubts))]
    public async Task In_doubt_finalize_resends_with_the_same_key_if_PDI_has_no_receipt(string doubt)
    {
        foreach (var without in new[] { () => FakePdi.Json(Open), () => Rejected("SESSION_NOT_FOUND", 404) })
        {
            using var fresh = new PdiResilienceTests();
            fresh.Answers(Failures[doubt], without, () => FakePdi.Json(Receipt));

            var result = await fresh.PassPausesAsync(fresh.FinalizeAsync());

            Assert.Equal(TheReceipt, result.Value);
            Assert.Equal(["finalize", "getSessionStatus", "finalize"], fresh.Asked());
            Assert.Equal(fresh.pdi.BusinessCalls[0], fresh.pdi.BusinessCalls[2]);
            Assert.Equal("key-1", fresh.pdi.BusinessCalls[2].IdempotencyKey);
        }
    }

    [Fact]
    public async Task The_doubt_stays_until_PDI_reports_the_status()
    {
        Answers(() => Status(500), () => Status(503), ConnectionRefused, () => FakePdi.Json(Finalized));

        var result = await PassPausesAsync(FinalizeAsync());

        Assert.Equal(TheReceipt, result.Value);
        Assert.Equal(["finalize", "getSessionStatus", "getSessionStatus", "getSessionStatus"], Asked());
    }

    [Fact]
    public async Task Every_new_doubt_causes_a_lookup()
    {
        Answers(() => Status(500), () => FakePdi.Json(Open), Failures["a reset"], () => FakePdi.Json(Finalized));

        var result = await PassPausesAsync(FinalizeAsync());

        Assert.Equal(TheReceipt, result.Value);
        Assert.Equal(["finalize", "getSessionStatus", "finalize", "getSessionStatus"], Asked());
    }

    [Fact]
    public async Task Without_a_connection_there_is_no_doubt()
    {
        Answers(ConnectionRefused, ConnectionRefused, () => FakePdi.Json(Receipt));

        var result = await PassPausesAsync(FinalizeAsync());

        Assert.Equal(TheReceipt, result.Value);
        Assert.Equal(["finalize", "finalize", "finalize"], Asked());
    }

    [Fact]
    public async Task A_caller_in_doubt_looks_up_before_the_first_attempt()
    {
        Answers(() => FakePdi.Json(Finalized));

        var result = await PassPausesAsync(client.FinalizeAsync(FinalizeRequest, "key-1", inDoubt: true));

        Assert.Equal(TheReceipt, result.Value);
        Assert.Equal(["getSessionStatus"], Asked());
    }

    [Theory]
    [InlineData("SESSION_CLOSED", 409)]
    [InlineData("SESSION_NOT_FOUND", 404)]
    public async Task A_session_closed_by_finalize_returns_its_receipt(string code, int status)
    {
        Answers(() => Rejected(code, status), () => FakePdi.Json(Finalized));

        var result = await PassPausesAsync(FinalizeAsync());

        Assert.Equal((TheReceipt, null), (result.Value, result.Rejection));
        Assert.Equal(["finalize", "getSessionStatus"], Asked());
    }

    [Fact]
    public async Task A_closed_session_without_a_receipt_is_a_refusal()
    {
        foreach (var without in new[] { () => FakePdi.Json("""{"pdiSessionId":"pdi-1","status":"voided"}"""), () => Rejected("SESSION_NOT_FOUND", 404) })
        {
            using var fresh = new PdiResilienceTests();
            fresh.Answers(() => Rejected("SESSION_CLOSED"), without);

            var result = await fresh.PassPausesAsync(fresh.FinalizeAsync());

            Assert.Equal((null, "SESSION_CLOSED"), (result.Value, result.Rejection?.Code));
            Assert.Equal(["finalize", "getSessionStatus"], fresh.Asked());
        }
    }

    [Fact]
    public async Task A_closed_session_is_no_refusal_until_its_status_is_known()
    {
        Answers(() => Rejected("SESSION_CLOSED"), () => Status(500), () => FakePdi.Json(Finalized));

        var result = await PassPausesAsync(FinalizeAsync());

        Assert.Equal(TheReceipt, result.Value);
        Assert.Equal(["finalize", "getSessionStatus", "getSessionStatus"], Asked());
    }

    [Fact]
    public async Task Other_refusals_cause_no_lookup()
    {
        Answers(() => Rejected("INSUFFICIENT_POINTS"));

        var result = await PassPausesAsync(FinalizeAsync());

        Assert.Equal("INSUFFICIENT_POINTS", result.Rejection?.Code);
        Assert.Equal(["finalize"], Asked());
    }

    public void Dispose() => pdi.Dispose();

    private Task<PdiResult<PdiReceipt>> FinalizeAsync() => client.FinalizeAsync(FinalizeRequest, "key-1", inDoubt: false);

    /// <summary>The paths of the calls, in order.</summary>
    private string[] Asked() => [.. pdi.BusinessCalls.Select(call => new Uri(call.Uri).Segments[^1])];

    /// <summary>Returns the answers in order. One call too many fails the test.</summary>
    private void Answers(params Func<HttpResponseMessage>[] answers) => pdi.OnCall = (number, _) => Task.FromResult(answers[number - 1]());

    /// <summary>Returns 500 until the given call, which hangs. Completes when that call arrives.</summary>
    private Task HangFrom(int number)
    {
        var arrived = new TaskCompletionSource();
        pdi.OnCall = (call, cancellation) =>
        {
            if (call < number)
                return Task.FromResult(Status(500));
            var hanging = FakePdi.HangAsync(cancellation);
            arrived.TrySetResult();
            return hanging;
        };
        return arrived.Task;
    }

    private async Task FailAsync(int times)
    {
        var first = pdi.BusinessCalls.Count;
        pdi.OnCall = (number, _) => Task.FromResult(number <= first + times ? Status(500) : Rejected("INVALID_AMOUNT"));
        // A success would reset the count. The fourth failure is the last attempt; the fifth opens the breaker.
        await Assert.ThrowsAsync<PdiUnavailableException>(() => PassPausesAsync(Operations["calculateRewards"].RunAsync(client)));
        Assert.Equal(times, pdi.BusinessCalls.Count - first);
    }

    /// <summary>Advances the clock over each pause until the call ends.</summary>
    private async Task<T> PassPausesAsync<T>(Task<T> call)
    {
        await PassPausesUntilAsync(call);
        return await call;
    }

    private async Task PassPausesUntilAsync(Task end)
    {
        while (!end.IsCompleted)
        {
            var pause = clock.PauseBeginsAsync();
            if (await Task.WhenAny(end, pause) == pause)
                clock.Pass();
        }
    }

    /// <summary>Awaits a call that should end. Without this timeout, a call that the clock did not end would hang the test.</summary>
    private static Task<T> InTimeAsync<T>(Task<T> call) => call.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    private static (object? Value, PdiRejection? Rejection) Parts<T>(PdiResult<T> result)
        where T : class => (result.Value, result.Rejection);

    private static HttpResponseMessage Status(int status, int? retryAfterSeconds = null)
    {
        var answer = FakePdi.Json("", (HttpStatusCode)status);
        if (retryAfterSeconds is { } seconds)
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds));
        return answer;
    }

    private static HttpResponseMessage Rejected(string code, int status = 409) =>
        FakePdi.Json($$"""{"code":"{{code}}","message":"No."}""", (HttpStatusCode)status);

    private static HttpResponseMessage ConnectionRefused() => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused");

    private sealed record Operation(string Good, int BudgetSeconds, Func<PdiClient, Task<(object? Value, PdiRejection? Rejection)>> RunAsync)
    {
        public TimeSpan Budget => TimeSpan.FromSeconds(BudgetSeconds);
    }

    /// <summary>A clock that signals the start of every pause. It ignores deadlines, whose timers belong to a cancellation source.</summary>
    private sealed class PauseClock : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> begun = Channel.CreateUnbounded<TimeSpan>();

        public List<TimeSpan> Passed { get; } = [];

        public Task<bool> PauseBeginsAsync() => begun.Reader.WaitToReadAsync(TestContext.Current.CancellationToken).AsTask();

        /// <summary>Advances to the end of the current pause.</summary>
        public void Pass()
        {
            Assert.True(begun.Reader.TryRead(out var pause));
            Passed.Add(pause);
            Advance(pause);
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (state is not CancellationTokenSource)
                begun.Writer.TryWrite(dueTime);
            return timer;
        }
    }

    private sealed class HangingStream : MemoryStream
    {
        public TaskCompletionSource Arrived { get; } = new();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var hanging = new TaskCompletionSource<int>().Task.WaitAsync(cancellationToken);
            Arrived.TrySetResult();
            return await hanging;
        }
    }
}
