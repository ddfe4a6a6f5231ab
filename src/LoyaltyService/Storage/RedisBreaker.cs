namespace LoyaltyService.Storage;

/// <summary>
/// A breaker for a Redis that only saves time, so it must never cost any. A caller waits at most <see cref="Patience"/>; after several timeouts in a
/// row, calls fail fast for a while, and then one caller at a time probes. A wrong guess does no harm, so the breaker stays simple: late
/// results count, and any success closes it.
/// </summary>
internal sealed class RedisBreaker(TimeProvider clock)
{
    /// <summary>
    /// Redis answers in a millisecond, and the database, its fallback, in five: waiting longer than this gains nothing. A call makes at most three
    /// lookups, and after three timeouts none, so 99 of 100 calls stay within the 100 ms that an absent Redis may cost.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>How long calls fail fast: short, since the next probe waits 50 ms at most.</summary>
    public static readonly TimeSpan OpenTime = TimeSpan.FromSeconds(1);

    /// <summary>One timeout may be chance; three in a row are not.</summary>
    public const int FailuresToOpen = 3;

    private int failuresInARow;
    private long nextTryAt;

    public bool IsOpen => Volatile.Read(ref failuresInARow) >= FailuresToOpen;

    /// <summary>Calls Redis, unless the breaker is open.</summary>
    /// <returns>The answer; <paramref name="otherwise"/> if Redis was not called.</returns>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public async ValueTask<T> AskAsync<T>(Func<Task<T>> ask, T otherwise)
    {
        if (!LetsThrough())
            return otherwise;
        try
        {
            var answer = await ask().WaitAsync(Patience, clock);
            Volatile.Write(ref failuresInARow, 0);
            return answer;
        }
        catch
        {
            Volatile.Write(ref nextTryAt, After(OpenTime));
            Interlocked.Increment(ref failuresInARow);
            throw;
        }
    }

    private bool LetsThrough()
    {
        if (!IsOpen)
            return true;
        var due = Volatile.Read(ref nextTryAt);
        // The caller that moves the time of the next probe is the one that probes.
        return clock.GetTimestamp() >= due && Interlocked.CompareExchange(ref nextTryAt, After(OpenTime), due) == due;
    }

    private long After(TimeSpan wait) => clock.GetTimestamp() + (long)(wait.TotalSeconds * clock.TimestampFrequency);
}
