using Microsoft.Net.Http.Headers;

namespace LoyaltyService.Server;

/// <summary>
/// Headers for browsers: no response is a page that may be framed, sniffed, cached or used as a referrer. The one page is the API reference, whose script and
/// styles come from this service.
/// </summary>
internal static class SecurityHeaders
{
    private const string NoPage = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    // The page starts its script inline, and the script writes inline styles.
    private const string ReferencePage =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        + "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    private const string OneYear = "max-age=31536000";

    public static void UseSecurityHeaders(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        // At the last moment: an error response starts by clearing the headers.
        context.Response.OnStarting(static state => Write((HttpContext)state), context);
        return next(context);
    });

    private static Task Write(HttpContext context)
    {
        var headers = context.Response.Headers;
        var isReference = context.Request.Path.StartsWithSegments("/docs", StringComparison.OrdinalIgnoreCase);
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = isReference ? ReferencePage : NoPage;
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        // A response belongs to one caller and is soon stale. The page's script is neither.
        if (!isReference || !headers.ContainsKey(HeaderNames.CacheControl))
            headers.CacheControl = isReference ? "no-cache" : "no-store";
        if (context.Request.IsHttps)
            headers.StrictTransportSecurity = OneYear;
        return Task.CompletedTask;
    }
}
