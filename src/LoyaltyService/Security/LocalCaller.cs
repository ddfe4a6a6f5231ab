using System.Net;

namespace LoyaltyService.Security;

/// <summary>
/// A caller on this machine, with nobody in between. What comes through a proxy has the proxy's address. A page of some other site that
/// makes a browser call here names that site: as the host, if its name was made to point here, or else as the origin. Browsers send the origin
/// with whatever may change something, and most say of every call how far away the page is that makes it. All of these are strangers.
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
        && !OfProxies.Any(context.Request.Headers.ContainsKey)
        && IsOfNoOtherPage(context.Request);

    /// <summary>Not from a browser, typed into one, or from a page of this very service: its reference can make calls.</summary>
    private static bool IsOfNoOtherPage(HttpRequest request)
    {
        var (origin, site) = (request.Headers.Origin, request.Headers["Sec-Fetch-Site"]);
        return (origin.Count == 0 || origin.ToString().Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
            && (site.Count == 0 || site.ToString() is "same-origin" or "none");
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named));
}
