using Polly;

namespace LoyaltyService.Pdi;

internal enum BreakerState
{
    Closed = 0,
    HalfOpen = 1,
    Open = 2,
}

/// <summary>What the end of a call tells about PDI.</summary>
internal enum BreakerVerdict
{
    /// <summary>PDI works, also when it refused the business.</summary>
    Success,

    /// <summary>PDI does not work.</summary>
    Failure,

    /// <summary>Nothing: the caller left, PDI asked for patience, or the credentials were at fault.</summary>
    Neutral,
}

/// <summary>
/// The brief's breaker: five failures in a row open it; for 30 s every call fails at once; then exactly one probe; its success
/// closes, its failure opens for another 30 s. Polly's own is ratio-based and cannot be told to count consecutive failures
/// (docs/decisions/0004-consecutive-failure-breaker.md), so this is a Polly strategy of our own.
/// <para>
/// One lock, held for a few instructions and never while a call runs. Every change of state starts a new generation; a call carries
/// the generation it started in, and a result of an older one changes nothing. Time is the clock's monotonic timestamp. A probe holds
/// a lease: a probe that hangs or whose caller leaves does not keep the breaker half-open for ever.
/// </para>
/// </summary>
internal sealed partial class ConsecutiveFailureBreaker(
    PdiOptions options, Func<Exception?, BreakerVerdict> judge, TimeProvider clock, ILogger<ConsecutiveFailureBreaker> logger)
    : ResilienceStrategy
{
    /// <summary>Why a call was not made.</summary>
    public const string Refusal = "PDI is not asked just now: it failed too often in a row.";

    private readonly Lock gate = new();
    private BreakerState state = BreakerState.Closed;
    private int generation;
    private int consecutiveFailures;
    private long openUntil;
    private long probeUntil;

    /// <summary>Raised, outside the lock, when PDI works again after a break.</summary>
    public event Action? Closed;

    /// <summary>The state as a call that came now would find it.</summary>
    public BreakerState State
    {
        get
        {
            lock (gate)
                return state is BreakerState.Open && clock.GetTimestamp() >= openUntil ? BreakerState.HalfOpen : state;
        }
    }

    /// <summary>How long a call that came now would be refused; zero if it would be let through.</summary>
    public TimeSpan Wait
    {
        get
        {
            lock (gate)
                return Wait_NeedsLock(clock.GetTimestamp());
        }
    }

    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (Enter() is not { } startedIn)
        {
            return Outcome.FromException<TResult>(new PdiUnavailableException(
                Refusal, mayHaveReached: false, Wait)
            { IsRefusedByBreaker = true });
        }

        var outcome = await callback(context, state).ConfigureAwait(context.ContinueOnCapturedContext);
        Leave(startedIn, judge(outcome.Exception));
        return outcome;
    }

    /// <summary>The generation that the call belongs to, or null if it must not run.</summary>
    private int? Enter()
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            if (state is BreakerState.Closed)
                return generation;
            if (Wait_NeedsLock(now) > TimeSpan.Zero)
                return null;

            // Open and over, or half-open with a probe that has outlived its lease: this call is the probe.
            Become_NeedsLock(BreakerState.HalfOpen);
            probeUntil = now + Ticks(options.BreakerProbeLease);
            return generation;
        }
    }

    private void Leave(int startedIn, BreakerVerdict verdict)
    {
        var closed = false;
        lock (gate)
        {
            // A late result of a call from before the last change of state says nothing about now.
            if (startedIn != generation)
                return;

            switch (state, verdict)
            {
                case (BreakerState.Closed, BreakerVerdict.Success):
                    consecutiveFailures = 0;
                    break;
                case (BreakerState.Closed, BreakerVerdict.Failure) when ++consecutiveFailures >= options.BreakerFailureThreshold:
                case (BreakerState.HalfOpen, BreakerVerdict.Failure):
                    Become_NeedsLock(BreakerState.Open);
                    openUntil = clock.GetTimestamp() + Ticks(options.BreakerOpenTime);
                    break;
                case (BreakerState.HalfOpen, BreakerVerdict.Success):
                    Become_NeedsLock(BreakerState.Closed);
                    closed = true;
                    break;
                case (BreakerState.HalfOpen, BreakerVerdict.Neutral):
                    // The probe told nothing: the next call may be the probe at once.
                    probeUntil = clock.GetTimestamp();
                    break;
            }
        }

        if (closed)
            Closed?.Invoke();
    }

    private TimeSpan Wait_NeedsLock(long now) => state switch
    {
        BreakerState.Open => Until(openUntil, now),
        BreakerState.HalfOpen => Until(probeUntil, now),
        _ => TimeSpan.Zero,
    };

    private void Become_NeedsLock(BreakerState next)
    {
        if (state != next)
            Log.BreakerChanged(logger, state, next);
        state = next;
        generation++;
        consecutiveFailures = 0;
    }

    private TimeSpan Until(long timestamp, long now) => timestamp <= now ? TimeSpan.Zero : clock.GetElapsedTime(now, timestamp);

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * clock.TimestampFrequency);

    private static partial class Log
    {
        [LoggerMessage(EventName = "CircuitBreakerChanged", Level = LogLevel.Warning, Message = "PDI circuit breaker: {from} to {to}")]
        public static partial void BreakerChanged(ILogger logger, BreakerState from, BreakerState to);
    }
}
