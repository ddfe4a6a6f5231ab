using StackExchange.Redis;

namespace LoyaltyService.RateLimits;

/// <summary>
/// How many replicas share the limits: each tells Redis every two seconds that it is there, and counts those that have done so in the last
/// ten. Without Redis the last count stays, and while a new one may not have heard of all it does not fall. A replica that has ended counts until then, and the others let through a little less meanwhile.
/// </summary>
internal sealed class Replicas(IConnectionMultiplexer? redis, string prefix)
{
    /// <summary>How often a replica tells.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    private const int GoneAfterSeconds = 10;

    // KEYS: the replicas, and since when all have told. ARGV: this one, and how many seconds it counts. Answers how many there are, and whether all
    // of them have had the time to tell.
    private const string CountMe = """
        local now = tonumber(redis.call('TIME')[1])
        redis.call('ZADD', KEYS[1], now, ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
        redis.call('EXPIRE', KEYS[1], ARGV[2])
        redis.call('SETNX', KEYS[2], now)
        return { redis.call('ZCARD', KEYS[1]), now - redis.call('GET', KEYS[2]) >= tonumber(ARGV[2]) and 1 or 0 }
        """;

    private readonly RedisKey[] keys = [prefix + "replicas", prefix + "counted-since"];
    private readonly RedisValue name = Guid.NewGuid().ToString("N");
    private int count = redis is null ? 1 : RateLimitOptions.ReplicasAtFirst;
    private bool hasCounted;

    public int Count => Volatile.Read(ref count);

    public async Task CountAsync()
    {
        if (redis is not { IsConnected: true })
            return;
        try
        {
            var counted = (int[])(await redis.GetDatabase().ScriptEvaluateAsync(CountMe, keys, [name, GoneAfterSeconds]))!;
            var (there, areAll) = (counted[0], counted[1] == 1);
            Volatile.Write(ref count, Math.Max(there, areAll || !hasCounted ? 1 : Count));
            hasCounted = true;
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            // The last count stays; the health check says what is wrong with Redis.
        }
    }
}
