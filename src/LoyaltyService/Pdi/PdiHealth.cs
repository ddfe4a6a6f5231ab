using System.Collections.Concurrent;
using LoyaltyService.Observability;

namespace LoyaltyService.Pdi;

/// <summary>
/// What the calls to PDI tell of PDI: every request is timed and counted here, and the last one says how PDI is. Nobody calls PDI to
/// find out.
/// </summary>
internal sealed class PdiHealth(ConsecutiveFailureBreaker breaker, PdiMetrics metrics, TimeProvider clock)
{
    // One object, so that a reader never gets the outcome of one request with the time of another.
    private Check last = new(CheckStatus.Up, TimeSpan.Zero);

    private readonly ConcurrentDictionary<string, long> answered = new();

    public BreakerState Breaker => breaker.State;

    /// <summary>Open: down. Not closed, or the last request failed: degraded.</summary>
    public Check Look()
    {
        var request = Volatile.Read(ref last);
        return breaker.State switch
        {
            BreakerState.Open => request with { Status = CheckStatus.Down },
            BreakerState.HalfOpen => request with { Status = CheckStatus.Degraded },
            _ => request,
        };
    }

    /// <summary>PDI has answered a request of this kind, whoever's it was.</summary>
    /// <param name="operation">One of <see cref="PdiOperations"/>.</param>
    public bool HasAnswered(string operation, TimeSpan within) =>
        answered.TryGetValue(operation, out var at) && clock.GetElapsedTime(at) <= within;

    /// <summary>A request to PDI has ended.</summary>
    /// <param name="operation">One of <see cref="PdiOperations"/>.</param>
    /// <param name="outcome">One of <see cref="PdiOutcomes"/>.</param>
    /// <param name="started">A timestamp of the clock.</param>
    public void RequestEnded(string operation, string outcome, long started)
    {
        var took = clock.GetElapsedTime(started);
        metrics.PdiAnswered(operation, outcome, took);
        if (outcome != PdiOutcomes.Failed)
            answered[operation] = clock.GetTimestamp();
        Volatile.Write(ref last, new Check(outcome == PdiOutcomes.Failed ? CheckStatus.Degraded : CheckStatus.Up, took));
    }
}
