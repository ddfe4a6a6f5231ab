using LoyaltyService.Observability;
using LoyaltyService.Storage;
using StackExchange.Redis;

namespace LoyaltyService.RateLimits;

/// <param name="Waits">For each bucket the time until it has a token; all zero if each gave one. Null if Redis does not decide yet.</param>
/// <param name="WasReset">Redis has lost its buckets since this replica's last call.</param>
internal readonly record struct RedisAnswer(TimeSpan[]? Waits, bool WasReset);

/// <summary>
/// The buckets that all replicas share. One script decides about all buckets of a request by Redis's clock: each bucket gives a token, or
/// none does.
/// </summary>
internal sealed partial class RedisBuckets(
    IConnectionMultiplexer redis, RedisBreaker breaker, string prefix, TimeProvider clock, ILogger<RedisBuckets> logger)
{
    /// <summary>
    /// An empty Redis decides nothing for this long. Replicas reconnect every second, so by then each can report what it admitted.
    /// Otherwise the first replica to connect could spend what the others have spent already.
    /// </summary>
    public static readonly TimeSpan SettlesIn = TimeSpan.FromSeconds(3);

    // A bucket is the time in microseconds at which it will be full. A missing key is a full bucket; a bucket owes at most what it holds.
    // KEYS: when Redis began, the buckets. ARGV: that time as the replica knows it (0: not yet), the time to settle, and for each bucket
    // its period, span and unreported tokens. Returns when Redis began, how long it still settles and, if it decided, the waits.
    private const string Take = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local kept = redis.call('MGET', unpack(KEYS))
        local born = kept[1]
        if not born then
          born = string.format('%.0f', now)
          redis.call('SET', KEYS[1], born)
        end
        local answer = { born, math.max(0, born + ARGV[2] - now) }
        if answer[2] > 0 or (ARGV[1] ~= '0' and ARGV[1] ~= born) then
          return answer
        end

        local full, refused = {}, false
        for i = 2, #KEYS do
          local period, span, unreported = tonumber(ARGV[3 * i - 3]), tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
          full[i] = math.min(math.max(tonumber(kept[i] or now), now) + unreported * period, now + 2 * span)
          answer[i + 1] = math.max(0, math.ceil(full[i] + period - span - now))
          refused = refused or answer[i + 1] > 0
        end
        for i = 2, #KEYS do
          if not refused then
            full[i] = full[i] + ARGV[3 * i - 3]
          end
          if full[i] > now then
            redis.call('SET', KEYS[i], string.format('%.0f', full[i]), 'PX', math.ceil((full[i] - now) / 1000))
          end
        end
        return answer
        """;

    private readonly RedisKey bornKey = prefix + "born";

    // When the Redis began that this replica last called.
    private long born;
    private long settledAt = long.MinValue;

    /// <param name="demands">The buckets.</param>
    /// <param name="unreported">For each bucket, the tokens that this replica gave without asking.</param>
    /// <returns>Null if Redis is away or did not answer.</returns>
    public async ValueTask<RedisAnswer?> TakeAsync(IReadOnlyList<Demand> demands, double[] unreported)
    {
        if (!redis.IsConnected || clock.GetTimestamp() < Volatile.Read(ref settledAt))
            return null;
        using var span = Tracing.StartRedis("EVALSHA");
        try
        {
            var known = Volatile.Read(ref born);
            var (keys, arguments) = Parameters(demands, unreported, known);
            var answer = await breaker.AskAsync(() => redis.GetDatabase().ScriptEvaluateAsync(Take, keys, arguments), null!);
            return answer is null ? null : Read((long[])answer!, known);
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            Log.NotAsked(logger, missed.Message);
            return null;
        }
    }

    private RedisAnswer Read(long[] answer, long known)
    {
        // Of several requests that find another Redis, only the first reports it.
        var isNew = answer[0] != known && Interlocked.CompareExchange(ref born, answer[0], known) == known;
        if (answer[1] > 0)
            Volatile.Write(ref settledAt, clock.GetTimestamp() + (answer[1] * clock.TimestampFrequency / 1_000_000));
        var waits = answer.Length > 2 ? Array.ConvertAll(answer[2..], static wait => TimeSpan.FromMicroseconds(wait)) : null;
        return new(waits, isNew && known != 0);
    }

    private (RedisKey[] Keys, RedisValue[] Arguments) Parameters(IReadOnlyList<Demand> demands, double[] unreported, long known)
    {
        var (keys, arguments) = (new RedisKey[demands.Count + 1], new RedisValue[(demands.Count * 3) + 2]);
        (keys[0], arguments[0], arguments[1]) = (bornKey, known, (long)SettlesIn.TotalMicroseconds);
        for (var i = 0; i < demands.Count; i++)
        {
            var (key, limit) = demands[i];
            var span = limit.Window.TotalMicroseconds;
            keys[i + 1] = $"{prefix}{(int)key.Kind}:{key.Id:N}";
            (arguments[(3 * i) + 2], arguments[(3 * i) + 3], arguments[(3 * i) + 4]) = (span / limit.Requests, span, unreported[i]);
        }

        return (keys, arguments);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "RateLimitsNotAsked", Level = LogLevel.Warning, Message = "Redis did not decide about a request: {reason}")]
        public static partial void NotAsked(ILogger logger, string reason);
    }
}
