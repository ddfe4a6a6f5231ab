using System.Net;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Connections;

namespace LoyaltyService.Server;

/// <summary>
/// A bound on the connections of one address. A connection costs a stranger nothing, and one that says nothing lives for over a minute: without
/// it a single machine could hold all there are, and keep probes out too.
/// </summary>
internal sealed partial class ConnectionsOfAddresses(ServerLimits limits, Settings settings, TimeProvider clock, ILogger<ConnectionsOfAddresses> logger)
{
    // Whoever is refused tries again; once in a while is enough to know.
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
            // Closed without a word, as one too many for the server is.
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
