using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LoyaltyService.Configuration;

/// <summary>Reads addresses and networks, separated by commas.</summary>
internal static class TrustedProxies
{
    private const int MaxEntries = 1000;

    /// <summary>Total: any text yields networks or an error, never an exception.</summary>
    public static Parsed<IReadOnlyList<IPNetwork>> Parse(string text)
    {
        var entries = text.Split(',');
        if (entries.Length > MaxEntries)
            return new ParseError(string.Create(CultureInfo.InvariantCulture, $"must have at most {MaxEntries} entries"));

        var networks = new List<IPNetwork>();
        foreach (var entry in entries)
        {
            if (Network(entry.Trim()) is not { } network)
                return new ParseError("must have addresses and networks such as 10.0.0.0/8, 192.0.2.1 or fd00::/8");
            // Trusting every address would trust an attacker's header.
            if (network.PrefixLength == 0)
                return new ParseError("must not name a network of all addresses: any caller could then choose its own address");
            networks.Add(network);
        }

        return new Parsed<IReadOnlyList<IPNetwork>>(networks);
    }

    private static IPNetwork? Network(string text)
    {
        if (IPNetwork.TryParse(text, out var network))
            return network;
        // An IPv4 address has four parts; the framework would read 10 as 0.0.0.10.
        return IPAddress.TryParse(text, out var address) && (address.AddressFamily is AddressFamily.InterNetworkV6 || text.Count('.') == 3)
            ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : null;
    }
}
