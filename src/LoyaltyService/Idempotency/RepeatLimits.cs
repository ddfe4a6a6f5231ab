namespace LoyaltyService.Idempotency;

/// <summary>How long repeats wait, and how long keys are held.</summary>
internal sealed class RepeatLimits
{
    /// <summary>How long a repeat waits for the first call before it gets <c>operation_in_progress</c> (contract: 5 s).</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a waiting repeat polls: often enough for a till, seldom enough for the database.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a call holds its Idempotency-Key at most: the longest budget (finalize: 10 s) plus time to store the answer.</summary>
    public TimeSpan KeyLease { get; init; } = TimeSpan.FromSeconds(15);
}
