using System.Net;

namespace LoyaltyService.Security;

/// <summary>
/// A direct caller on this machine. A local proxy also calls from loopback, but adds headers. If a web page of another site makes a browser
/// call, the site shows as the host (its name was pointed here) or as the origin. Browsers send the origin with calls that may change something;
/// most also send <c>Sec-Fetch-Site</c> with every call. Such calls do not count as local.
/// </summary>
internal static class LocalCaller
{
    private static readonly string[] OfProxies =
    [
        "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP",
        // The framework moves entries of X-Forwarded-For here.
        "X-Original-For",
    ];

    public static bool Is(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && IsLoopbackName(context.Request.Host.Host)
        && !OfProxies.Any(context.Request.Headers.ContainsKey)
        && IsOfNoOtherPage(context.Request);

    /// <summary>Not from a browser, or typed into it, or from this service's own API reference, which can make calls.</summary>
    private static bool IsOfNoOtherPage(HttpRequest request)
    {
        var (origin, site) = (request.Headers.Origin, request.Headers["Sec-Fetch-Site"]);
        return (origin.Count == 0 || origin.ToString().Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
            && (site.Count == 0 || site.ToString() is "same-origin" or "none");
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named));
}
