using System.Buffers.Binary;
using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Storage;
using StackExchange.Redis;

namespace LoyaltyService.Idempotency;

/// <summary>
/// Settled answers in Redis, shared by all replicas. An entry is a string: 16 bytes of fingerprint, 2 of status, 4 of version, then the body. If
/// Redis is down, slow or empty, that is a miss and the row decides.
/// </summary>
internal sealed partial class RedisReplayCache(
    IConnectionMultiplexer redis, RedisBreaker breaker, PostgresUrl database, ILogger<RedisReplayCache> logger) : IReplayCache
{
    public string Prefix { get; } = $"loyalty:{RedisKeys.NameOf(database)}:replay:";

    private const int HeaderBytes = 16 + 2 + 4;

    // Keys per SCAN: about a millisecond of Redis's time.
    private const int SweepPage = 1000;

    // How often a page is retried: a till cannot wait for a slow Redis, a job can.
    private const int SweepTries = 4;

    public async ValueTask<Replay?> FindAsync(ReplayKey key)
    {
        // Not connected: a call would throw at best and block at worst.
        if (!redis.IsConnected)
            return null;
        using var span = Tracing.StartRedis("GET");
        try
        {
            return Decode(await breaker.AskAsync(() => redis.GetDatabase().StringGetAsync(KeyOf(key)), RedisValue.Null));
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            Log.ReplayNotRead(logger, missed.Message);
            return null;
        }
    }

    public void Remember(ReplayKey key, Replay replay)
    {
        // Commands are not queued for an unresponsive Redis.
        if (!redis.IsConnected || breaker.IsOpen)
            return;
        using var span = Tracing.StartRedis("SET");
        try
        {
            redis.GetDatabase().StringSet(KeyOf(key), Encode(replay), IReplayCache.Window, flags: CommandFlags.FireAndForget);
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            Log.ReplayNotRemembered(logger, missed.Message);
        }
    }

    /// <summary>
    /// Redis expires entries by itself if they have an expiry. Entries without one, for example copied from another Redis, get it here.
    /// </summary>
    public async Task SweepAsync(Func<int, Task> swept, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var server in redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
                await SweepAsync(server, swept, cancellationToken);
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            Log.NotSwept(logger, missed.Message);
        }
    }

    // SCAN itself, not the client's list of keys: among many foreign keys that list returns nothing until it finds one of ours.
    private async Task SweepAsync(IServer server, Func<int, Task> swept, CancellationToken cancellationToken)
    {
        var cursor = "0";
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            (cursor, var told) = await SweepPageAsync(server, cursor);
            await swept(told);
        }
        while (cursor != "0");
    }

    private async Task<(string Next, int Told)> SweepPageAsync(IServer server, string cursor)
    {
        var database = redis.GetDatabase();
        for (var tries = 1; ; tries++)
        {
            try
            {
                var page = await server.ExecuteAsync(database.Database, "SCAN", [cursor, "MATCH", Prefix + "*", "COUNT", SweepPage]);
                // Pipelined, then awaited.
                var told = await Task.WhenAll(((RedisKey[])page[1]!).Select(key => database.KeyExpireAsync(key, IReplayCache.Window, ExpireWhen.HasNoExpiry)));
                return ((string)page[0]!, told.Count(static wasTold => wasTold));
            }
            catch (TimeoutException) when (tries < SweepTries)
            {
                // Second pass: a key whose EXPIRE got no answer has its expiry by now, and is not counted.
            }
        }
    }

    private RedisKey KeyOf(ReplayKey key) => $"{Prefix}{key.Operation}:{key.Id:N}";

    private static byte[] Encode(Replay replay)
    {
        var value = new byte[HeaderBytes + replay.Body.Length];
        replay.Fingerprint.TryWriteBytes(value, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16BigEndian(value.AsSpan(16), (ushort)replay.Status);
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(18), replay.Version);
        replay.Body.CopyTo(value, HeaderBytes);
        return value;
    }

    // An entry that is too short is not from this service, and is a miss.
    private static Replay? Decode(byte[]? value) => value is null || value.Length <= HeaderBytes ? null : new Replay(
        new Guid(value.AsSpan(0, 16), bigEndian: true),
        BinaryPrimitives.ReadUInt16BigEndian(value.AsSpan(16)),
        BinaryPrimitives.ReadInt32BigEndian(value.AsSpan(18)),
        value[HeaderBytes..]);

    private static partial class Log
    {
        [LoggerMessage(EventName = "ReplayNotRead", Level = LogLevel.Warning, Message = "Redis did not give a replay: {reason}")]
        public static partial void ReplayNotRead(ILogger logger, string reason);

        [LoggerMessage(EventName = "ReplaysNotSwept", Level = LogLevel.Warning, Message = "Redis could not be swept: {reason}")]
        public static partial void NotSwept(ILogger logger, string reason);

        [LoggerMessage(EventName = "ReplayNotRemembered", Level = LogLevel.Warning, Message = "Redis did not take a replay: {reason}")]
        public static partial void ReplayNotRemembered(ILogger logger, string reason);
    }
}
