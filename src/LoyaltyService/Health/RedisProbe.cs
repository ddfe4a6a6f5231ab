using LoyaltyService.Observability;
using StackExchange.Redis;

namespace LoyaltyService.Health;

/// <summary>Checks whether Redis answers. Without Redis, the process's own memory serves, and is always up.</summary>
internal sealed class RedisProbe(IConnectionMultiplexer? redis = null)
{
    public async Task<CheckStatus> LookAsync(CancellationToken cancellationToken)
    {
        if (redis is null)
            return CheckStatus.Up;
        try
        {
            await redis.GetDatabase().PingAsync().WaitAsync(cancellationToken);
            return CheckStatus.Up;
        }
        catch (Exception missed) when (missed is RedisException or TimeoutException)
        {
            return CheckStatus.Down;
        }
    }

    public int Connections() => redis?.GetServers().Count(server => server.IsConnected) ?? 0;
}
