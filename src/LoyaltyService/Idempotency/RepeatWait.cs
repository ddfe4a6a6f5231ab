namespace LoyaltyService.Idempotency;

/// <summary>The wait of one repeat for the outcome of the first call.</summary>
internal sealed class RepeatWait(RepeatLimits limits, TimeProvider clock)
{
    private readonly long started = clock.GetTimestamp();

    /// <summary>The outcome was not there at the first look.</summary>
    public bool HasWaited { get; private set; }

    /// <summary>Waits until it is time to look again; false once the wait is over.</summary>
    public async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        if (clock.GetElapsedTime(started) >= limits.Wait)
            return false;
        await Task.Delay(limits.Poll, clock, cancellationToken);
        return HasWaited = true;
    }
}
