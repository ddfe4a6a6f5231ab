using System.Collections.Concurrent;
using LoyaltyService.Pdi;

namespace LoyaltyService.Queue;

/// <summary>Decides what happens to an item after a failed attempt.</summary>
internal sealed class PdiWorkFailures(ConsecutiveFailureBreaker breaker, PdiHealth health, PdiWorkLimits limits, TimeProvider clock)
{
    // By PDI operation: the session whose attempt failed last, and when.
    private readonly ConcurrentDictionary<string, (Guid SessionId, long At)> lastFailed = new();

    /// <returns>Whether the attempt counts, whether to park the item, and the pause if not.</returns>
    public (bool Counts, bool Park, TimeSpan Pause) Judge(PdiWorkItem item, Exception reason)
    {
        // In an outage, or with rejected credentials, no item is at fault: attempts do not count, and items are parked after 24 h.
        var counts = reason switch
        {
            PdiAuthenticationException => false,
            PdiUnavailableException failed => breaker.State is BreakerState.Closed && !IsOperationDown(item, failed.Operation),
            _ => true,
        };
        return (counts, (counts && item.Attempts >= limits.MaxAttempts) || item.Age >= limits.MaxAge, PauseAfter(item, reason));
    }

    /// <summary>
    /// One PDI operation is down while others work, so the breaker stays closed: another session failed at it too, and PDI has answered none,
    /// tills included, for the longest pause. An item that fails alone is itself at fault.
    /// </summary>
    private bool IsOperationDown(PdiWorkItem item, string? operation)
    {
        if (operation is null)
            return false;
        var (sessionId, at) = lastFailed.GetValueOrDefault(operation);
        lastFailed[operation] = (item.SessionId, clock.GetTimestamp());
        return sessionId != Guid.Empty && sessionId != item.SessionId && clock.GetElapsedTime(at) <= 2 * limits.LongestPause
            && !health.HasAnswered(operation, limits.LongestPause);
    }

    /// <summary>
    /// As long as PDI asks, or until the breaker's probe, but never longer than the longest pause: PDI may ask for hours, recover in
    /// minutes, and delay the sale's points.
    /// </summary>
    private TimeSpan PauseAfter(PdiWorkItem item, Exception reason) =>
        reason is PdiUnavailableException { AskedToWait: { } asked } && asked > limits.FirstPause
            ? TimeSpan.FromTicks(Math.Min(asked.Ticks, limits.LongestPause.Ticks))
            : limits.PauseAfter(item.Attempts);
}
