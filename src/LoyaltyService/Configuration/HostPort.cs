using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LoyaltyService.Configuration;

/// <summary>A host name, an IPv4 or IPv6 address (without brackets), or the directory of a Unix socket, with its port.</summary>
internal sealed record HostPort(string Host, int Port)
{
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");

    // No comma and no colon: the connection string of Npgsql separates hosts and ports with them.
    private static readonly SearchValues<char> SocketCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/+~");

    public static Parsed<HostPort> Parse(ReadOnlySpan<char> text, int defaultPort, bool allowSocket)
    {
        int hostLength;
        string? host;
        if (text.StartsWith('['))
        {
            hostLength = text.IndexOf(']') + 1;
            host = hostLength > 0 ? Ipv6(text[1..(hostLength - 1)]) : null;
            if (host is null)
                return new ParseError("must have an IPv6 address between [ and ]");
        }
        else
        {
            hostLength = text.IndexOf(':') is var colon and >= 0 ? colon : text.Length;
            host = PercentEncoding.Decode(text[..hostLength]);
            if (text[hostLength..].Count(':') > 1)
                return new ParseError("must have a host and one port, such as host:6000; write an IPv6 address in brackets");
            if (hostLength == 0)
                return new ParseError("must name a host");
            if (host is null || !IsName(host) && !(allowSocket && IsSocket(host)))
                return new ParseError("must name hosts with letters, digits, dots and hyphens only");
        }

        var port = text[hostLength..];
        if (port.IsEmpty || port is ":")
            return new HostPort(host, defaultPort);
        if (port[0] != ':'
            || !int.TryParse(port[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number is < 1 or > 65535)
            return new ParseError("must have a port from 1 to 65535 after the host; if a password has /, ?, # or @ in it, write %2F, %3F, %23 or %40");
        return new HostPort(host, number);
    }

    /// <summary>Host and port as written in a URL or a list of hosts.</summary>
    public override string ToString() =>
        Host.Contains(':')
            ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    private static bool IsName(string host) => host.Length is > 0 and <= 255 && !host.AsSpan().ContainsAnyExcept(NameCharacters);

    private static bool IsSocket(string host) => host.StartsWith('/') && !host.AsSpan().ContainsAnyExcept(SocketCharacters);

    private static string? Ipv6(ReadOnlySpan<char> text) =>
        !text.ContainsAny('[', '/')
        && IPAddress.TryParse(text, out var address)
        && address.AddressFamily == AddressFamily.InterNetworkV6
            ? address.ToString()
            : null;
}
