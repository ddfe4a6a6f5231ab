using System.Collections.Concurrent;
using LoyaltyService.Pdi;

namespace LoyaltyService.Queue;

/// <summary>What becomes of an item whose attempt failed.</summary>
internal sealed class PdiWorkFailures(ConsecutiveFailureBreaker breaker, PdiHealth health, PdiWorkLimits limits, TimeProvider clock)
{
    // By what PDI was to do: whose attempt failed last, and when.
    private readonly ConcurrentDictionary<string, (Guid SessionId, long At)> lastFailed = new();

    /// <returns>Whether the attempt counts, whether the item waits for an operator from now on, and how long it waits if it does not.</returns>
    public (bool Counts, bool Park, TimeSpan Pause) Judge(PdiWorkItem item, Exception reason)
    {
        // An outage, or credentials that PDI refuses, are nobody's fault among those that wait: it takes 24 h until they are parked.
        var counts = reason switch
        {
            PdiAuthenticationException => false,
            PdiUnavailableException failed => breaker.State is BreakerState.Closed && !IsNobodysFault(item, failed.Operation),
            _ => true,
        };
        return (counts, (counts && item.Attempts >= limits.MaxAttempts) || item.Age >= limits.MaxAge, PauseAfter(item, reason));
    }

    /// <summary>
    /// PDI does this for nobody just now, though it may do something else, so that the breaker stays closed: others fail at it too, and
    /// nobody, tills included, has been answered for as long as the longest pause. An item that fails alone is at fault itself.
    /// </summary>
    private bool IsNobodysFault(PdiWorkItem item, string? operation)
    {
        if (operation is null)
            return false;
        var (sessionId, at) = lastFailed.GetValueOrDefault(operation);
        lastFailed[operation] = (item.SessionId, clock.GetTimestamp());
        return sessionId != Guid.Empty && sessionId != item.SessionId && clock.GetElapsedTime(at) <= 2 * limits.LongestPause
            && !health.HasAnswered(operation, limits.LongestPause);
    }

    /// <summary>
    /// As long as PDI asks for, or, where the breaker opened while the item was claimed, until PDI's return. But no longer than the brief's
    /// longest pause: PDI may name hours for what is over in minutes, and the sale's points would be as late.
    /// </summary>
    private TimeSpan PauseAfter(PdiWorkItem item, Exception reason) =>
        reason is PdiUnavailableException { AskedToWait: { } asked } && asked > limits.FirstPause
            ? TimeSpan.FromTicks(Math.Min(asked.Ticks, limits.LongestPause.Ticks))
            : limits.PauseAfter(item.Attempts);
}
