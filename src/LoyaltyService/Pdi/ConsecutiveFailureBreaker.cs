using Polly;

namespace LoyaltyService.Pdi;

internal enum BreakerState
{
    Closed = 0,
    HalfOpen = 1,
    Open = 2,
}

/// <summary>What the end of a call says about PDI.</summary>
internal enum BreakerVerdict
{
    /// <summary>PDI works, even if it rejected the request.</summary>
    Success,

    /// <summary>PDI is failing.</summary>
    Failure,

    /// <summary>Neither: the caller disconnected, PDI throttled the call, or the credentials were rejected.</summary>
    Neutral,
}

/// <summary>
/// Opens after five consecutive failures. For 30 s every call fails fast; then exactly one probe runs. Its success closes the breaker, its
/// failure opens it for another 30 s. Polly's breaker is ratio-based and cannot count consecutive failures
/// (docs/decisions/0004-consecutive-failure-breaker.md), so this is a custom Polly strategy.
/// <para>
/// One lock, held for a few instructions and never during a call. Every change of state starts a new generation. A call carries the
/// generation it started in, and a result from an older one is ignored. Time is the clock's monotonic timestamp. A probe holds a lease, so a
/// probe that hangs does not keep the breaker half-open forever.
/// </para>
/// </summary>
internal sealed partial class ConsecutiveFailureBreaker(
    PdiOptions options, Func<Exception?, BreakerVerdict> judge, TimeProvider clock, ILogger<ConsecutiveFailureBreaker> logger)
    : ResilienceStrategy
{
    /// <summary>The reason of a call that was not made.</summary>
    public const string Refusal = "The circuit breaker is open: PDI failed several times in a row.";

    private readonly Lock gate = new();
    private BreakerState state = BreakerState.Closed;
    private int generation;
    private int consecutiveFailures;
    private long openUntil;
    private long probeUntil;

    /// <summary>Raised, outside the lock, when PDI works again after a break.</summary>
    public event Action? Closed;

    /// <summary>The state that a call would find now.</summary>
    public BreakerState State
    {
        get
        {
            lock (gate)
                return state is BreakerState.Open && clock.GetTimestamp() >= openUntil ? BreakerState.HalfOpen : state;
        }
    }

    /// <summary>How long calls will still fail fast; zero if a call would go through now.</summary>
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

            // The open time is over, or the probe's lease has expired: this call is the probe.
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
            // A late result from before the last change of state is ignored.
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
                    // The probe was inconclusive: the next call may be the probe.
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
