using System.Globalization;
using LoyaltyService.Observability;
using LoyaltyService.Storage;
using StackExchange.Redis;

namespace LoyaltyService.RateLimits;

/// <param name="Want">How many tokens, if there are so many; at least one.</param>
/// <param name="IsFirst">The one of several at a time that asks for more than it needs itself, and tells what Redis does not know.</param>
/// <param name="RedisBorn">The Redis that this replica last asked; 0 for none.</param>
/// <param name="Untold">What was let through and not told to that Redis.</param>
/// <param name="Spent">What was let through by this replica at all, for a Redis that knows nothing of it.</param>
internal readonly record struct TokenAsk(BucketKey Key, RateLimit Limit, int Want, bool IsFirst, long RedisBorn, double Untold, double Spent);

/// <param name="Granted">0 if this or another bucket of the request is empty.</param>
/// <param name="Wait">When this bucket has a token again; zero if it has one.</param>
internal readonly record struct TokenAnswer(int Granted, TimeSpan Wait);

/// <param name="Born">When the Redis that answered began to keep buckets: another time means that what it knew is lost.</param>
internal sealed record TokenAnswers(long Born, TokenAnswer[] Each);

/// <summary>
/// The buckets that all replicas share: one script decides about all buckets of a request at once, by Redis's clock. Either each of them
/// gives a token or none does.
/// </summary>
internal sealed partial class RedisBuckets(
    IConnectionMultiplexer redis, RedisBreaker breaker, string prefix, TimeProvider clock, ILogger<RedisBuckets> logger)
{
    /// <summary>
    /// A Redis that knows nothing decides nothing for so long: until the replicas, which try to reach it once a second, have all found it and
    /// can tell what they let through. Otherwise the first to find it would be given what the others have spent.
    /// </summary>
    public static readonly TimeSpan SettlesIn = TimeSpan.FromSeconds(3);

    private const int ArgumentsEach = 6;

    // A bucket is the time in microseconds at which it will be full; a key that is not there is a full bucket. One that is told of more than
    // it could have given owes that, up to once what it holds: a replica may find Redis later than the others.
    // KEYS: since when, then the buckets. ARGV, for each: period, span, want, born, untold, spent; then the time to settle.
    // Answers since when and what each bucket gives; or alone for how long it decides nothing yet.
    private const string Decide = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local born = redis.call('GET', KEYS[1])
        if not born then
          born = string.format('%.0f', now)
          redis.call('SET', KEYS[1], born)
        end

        local settled = born + ARGV[#ARGV]
        if now < settled then
          return { settled - now }
        end

        local answer, full, refused = { born }, {}, false
        for i = 2, #KEYS do
          local a = (i - 2) * 6
          local period, span = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
          local knows = ARGV[a + 4] == '0' or ARGV[a + 4] == born
          local owed = tonumber(knows and ARGV[a + 5] or ARGV[a + 6])
          local at = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now) + owed * period
          full[i] = math.min(at, now + 2 * span)
          local free = math.floor((now + span - full[i]) / period + 0.000001)
          if free < 1 then
            refused = true
            answer[i] = -math.max(1, math.ceil(full[i] + period - span - now))
          else
            answer[i] = math.min(tonumber(ARGV[a + 3]), free)
          end
        end

        for i = 2, #KEYS do
          if refused then
            answer[i] = math.min(answer[i], 0)
          else
            full[i] = full[i] + answer[i] * tonumber(ARGV[(i - 2) * 6 + 1])
          end
          if full[i] > now then
            redis.call('SET', KEYS[i], string.format('%.0f', full[i]), 'PX', math.ceil((full[i] - now) / 1000))
          end
        end
        return answer
        """;

    private readonly RedisKey bornKey = prefix + "born";
    private long settled = long.MinValue;

    /// <returns>The answers in the order of the asks; null if Redis could not be asked, has not answered, or does not decide yet.</returns>
    public async ValueTask<TokenAnswers?> AskAsync(IReadOnlyList<TokenAsk> asks)
    {
        if (!redis.IsConnected || clock.GetTimestamp() < Volatile.Read(ref settled))
            return null;
        var keys = new RedisKey[asks.Count + 1];
        var arguments = new RedisValue[(asks.Count * ArgumentsEach) + 1];
        keys[0] = bornKey;
        arguments[^1] = (long)SettlesIn.TotalMicroseconds;
        for (var i = 0; i < asks.Count; i++)
        {
            keys[i + 1] = KeyOf(asks[i].Key);
            Write(asks[i], arguments.AsSpan(i * ArgumentsEach));
        }

        using var span = Tracing.StartRedis("EVALSHA");
        try
        {
            var answer = await breaker.AskAsync(() => redis.GetDatabase().ScriptEvaluateAsync(Decide, keys, arguments), null!);
            return answer is null ? null : Read(answer);
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            Log.NotAsked(logger, missed.Message);
            return null;
        }
    }

    private static void Write(TokenAsk ask, Span<RedisValue> arguments)
    {
        const double Shared = 1 - RateLimitOptions.LocalPart;
        var span = ask.Limit.Window.TotalMicroseconds;
        // Of a limit of one or two requests a part is less than one: a bucket that can hold none would be closed for ever.
        var period = span / (ask.Limit.Requests * Shared);
        arguments[0] = period;
        arguments[1] = Math.Max(span, period);
        arguments[2] = ask.Want;
        arguments[3] = ask.RedisBorn;
        arguments[4] = ask.Untold;
        arguments[5] = ask.Spent;
    }

    private TokenAnswers? Read(RedisResult answer)
    {
        var values = (RedisValue[])answer!;
        if (values is [var wait])
        {
            Volatile.Write(ref settled, clock.GetTimestamp() + (long)(TimeSpan.FromMicroseconds((long)wait).TotalSeconds * clock.TimestampFrequency));
            return null;
        }

        var each = new TokenAnswer[values.Length - 1];
        for (var i = 0; i < each.Length; i++)
        {
            var value = (long)values[i + 1];
            each[i] = value > 0 ? new((int)value, TimeSpan.Zero) : new(0, TimeSpan.FromMicroseconds(-value));
        }

        return new(long.Parse((string)values[0]!, CultureInfo.InvariantCulture), each);
    }

    private RedisKey KeyOf(BucketKey key) => $"{prefix}{(int)key.Kind}:{key.Id:N}";

    private static partial class Log
    {
        [LoggerMessage(EventName = "RateLimitsNotAsked", Level = LogLevel.Warning, Message = "Redis did not decide about a request: {reason}")]
        public static partial void NotAsked(ILogger logger, string reason);
    }
}
