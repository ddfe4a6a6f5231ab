namespace LoyaltyService.Idempotency;

/// <summary>How one repeat waits for the outcome of the first call.</summary>
internal sealed class RepeatWait(RepeatLimits limits, TimeProvider clock)
{
    private readonly long started = clock.GetTimestamp();

    /// <summary>The first lookup did not find the outcome.</summary>
    public bool HasWaited { get; private set; }

    /// <summary>Waits until the next poll; false once the time is up.</summary>
    public async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        if (clock.GetElapsedTime(started) >= limits.Wait)
            return false;
        await Task.Delay(limits.Poll, clock, cancellationToken);
        return HasWaited = true;
    }
}
