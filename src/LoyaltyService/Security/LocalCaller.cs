using System.Net;

namespace LoyaltyService.Security;

/// <summary>
/// A caller on this machine, with nobody in between. What comes through a proxy has the proxy's address, and a page of some other site
/// that makes a browser call here names that site as the host: both are strangers.
/// </summary>
internal static class LocalCaller
{
    private static readonly string[] OfProxies =
    [
        "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP",
        // Where the framework puts what it has taken from X-Forwarded-For.
        "X-Original-For",
    ];

    public static bool Is(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && IsLoopbackName(context.Request.Host.Host)
        && !OfProxies.Any(context.Request.Headers.ContainsKey);

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named));
}
