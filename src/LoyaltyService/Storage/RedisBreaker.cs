namespace LoyaltyService.Storage;

/// <summary>
/// Stands in front of a Redis that only saves time, so that it never costs any: a caller waits for it no longer than
/// <see cref="Patience"/>, and when it has let some down in a row nobody asks it for a while. Then one caller at a time tries. Nothing
/// depends on a wrong guess, so there is no more to it: a late result may count, and a success at any time closes it.
/// </summary>
internal sealed class RedisBreaker(TimeProvider clock)
{
    /// <summary>
    /// Redis answers in a millisecond, and the database, which is asked instead, in five: who waits for longer than this gains nothing.
    /// A call has three looks at the most, and after three that were in vain nobody looks: 99 of 100 calls stay within the 100 ms that an
    /// absent Redis may cost.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>How long nobody asks: short, since the next one who does loses only his patience.</summary>
    public static readonly TimeSpan OpenTime = TimeSpan.FromSeconds(1);

    /// <summary>One answer may be late by chance, three in a row are not.</summary>
    public const int FailuresToOpen = 3;

    private int failuresInARow;
    private long nextTryAt;

    public bool IsOpen => Volatile.Read(ref failuresInARow) >= FailuresToOpen;

    /// <summary>Asks Redis, unless it is known not to answer.</summary>
    /// <returns>The answer; <paramref name="otherwise"/> if Redis was not asked.</returns>
    /// <exception cref="TimeoutException">It has not answered in time.</exception>
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
        // Who moves the time of the next try is the one who tries now.
        return clock.GetTimestamp() >= due && Interlocked.CompareExchange(ref nextTryAt, After(OpenTime), due) == due;
    }

    private long After(TimeSpan wait) => clock.GetTimestamp() + (long)(wait.TotalSeconds * clock.TimestampFrequency);
}
