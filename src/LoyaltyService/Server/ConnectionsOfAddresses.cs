using System.Net;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Connections;

namespace LoyaltyService.Server;

/// <summary>
/// Limits the connections of one address. A connection is free for its client, and an idle one lives for over a minute: without the limit, one machine
/// could hold all connections and lock out probes.
/// </summary>
internal sealed partial class ConnectionsOfAddresses(ServerLimits limits, Settings settings, TimeProvider clock, ILogger<ConnectionsOfAddresses> logger)
{
    // Rejected clients retry; an occasional line is enough.
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, int> open = [];
    private long? told;

    public ConnectionDelegate Bound(ConnectionDelegate next) => async connection =>
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var address } || IsTrusted(address))
        {
            await next(connection);
            return;
        }

        var caller = Callers.Of(address);
        if (!TryEnter(caller))
        {
            // Closed silently, as the server does beyond its own limit.
            await connection.Transport.Input.CompleteAsync();
            await connection.Transport.Output.CompleteAsync();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(caller);
        }
    };

    private bool IsTrusted(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return settings.TrustedProxies.Any(proxies => proxies.Contains(plain));
    }

    private bool TryEnter(Guid caller)
    {
        lock (gate)
        {
            var count = open.GetValueOrDefault(caller);
            if (count < limits.MaxConnectionsOfAddress)
            {
                open[caller] = count + 1;
                return true;
            }

            if (told is { } last && clock.GetElapsedTime(last) < BetweenLines)
                return false;
            told = clock.GetTimestamp();
        }

        Log.TooManyConnections(logger, limits.MaxConnectionsOfAddress);
        return false;
    }

    private void Leave(Guid caller)
    {
        lock (gate)
        {
            if (open[caller] == 1)
                open.Remove(caller);
            else
                open[caller]--;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "TooManyConnectionsOfAddress", Level = LogLevel.Warning, Message = "An address has {count} connections open, and further ones are closed; a proxy belongs into TRUSTED_PROXIES")]
        public static partial void TooManyConnections(ILogger logger, int count);
    }
}
