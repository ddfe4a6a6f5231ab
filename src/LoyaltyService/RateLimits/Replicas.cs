using StackExchange.Redis;

namespace LoyaltyService.RateLimits;

/// <summary>
/// Counts the replicas that share the limits. Each sends Redis a heartbeat every two seconds, and no longer counts after ten seconds without
/// one. While Redis is away the last count stays.
/// </summary>
internal sealed class Replicas(IConnectionMultiplexer redis, string prefix, TimeProvider clock) : BackgroundService
{
    // brief: at least 3 replicas in production. Used until the first count.
    private const int AtFirst = 3;

    private const int GoneAfterSeconds = 10;

    // A Redis that comes back empty does not know all replicas yet: only five lower counts in a row, ten seconds, lower the count.
    private const int BeatsToFall = 5;

    private const string CountMe = """
        local now = tonumber(redis.call('TIME')[1])
        redis.call('ZADD', KEYS[1], now, ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
        redis.call('EXPIRE', KEYS[1], ARGV[2])
        return redis.call('ZCARD', KEYS[1])
        """;

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    private readonly RedisKey[] keys = [prefix + "replicas"];
    private readonly RedisValue name = Guid.NewGuid().ToString("N");
    private volatile int count = AtFirst;
    private int lowerInARow = BeatsToFall - 1;

    public int Count => count;

    public async Task CountAsync()
    {
        if (!redis.IsConnected)
            return;
        try
        {
            var counted = (int)await redis.GetDatabase().ScriptEvaluateAsync(CountMe, keys, [name, GoneAfterSeconds]);
            lowerInARow = counted < count ? lowerInARow + 1 : 0;
            if (lowerInARow is 0 or BeatsToFall)
                (count, lowerInARow) = (counted, 0);
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            // The last count stays; the health check reports that Redis is away.
        }
    }

    /// <summary>Counts once before the service listens.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await CountAsync();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Beat, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await CountAsync();
    }
}
