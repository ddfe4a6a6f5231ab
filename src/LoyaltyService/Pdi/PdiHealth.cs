using System.Collections.Concurrent;
using LoyaltyService.Observability;

namespace LoyaltyService.Pdi;

/// <summary>
/// PDI's health, from the calls that the service makes anyway: each request is timed and counted, and the last one gives the status. There are no
/// probe calls.
/// </summary>
internal sealed class PdiHealth(ConsecutiveFailureBreaker breaker, PdiMetrics metrics, TimeProvider clock)
{
    // One object, so that a reader never mixes two requests.
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

    /// <summary>Whether PDI has answered a request of this kind, for any session.</summary>
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
