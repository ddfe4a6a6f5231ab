using System.Globalization;
using Microsoft.AspNetCore.Diagnostics;

namespace LoyaltyService.Observability;

/// <summary>Counts every request once it is answered.</summary>
internal static class RequestMetrics
{
    /// <summary>The endpoint of a request that no route took: paths are the callers' to choose, and labels are not.</summary>
    public const string Unmatched = "unmatched";

    private static readonly string[] Statuses = [.. Enumerable.Range(0, 600).Select(status => status.ToString(CultureInfo.InvariantCulture))];

    public static void UseRequestMetrics(this WebApplication app)
    {
        var metrics = app.Services.GetRequiredService<LoyaltyMetrics>();
        app.Use(async (context, next) =>
        {
            await next(context);
            metrics.RequestAnswered(EndpointOf(context), MethodOf(context.Request.Method), StatusText(context.Response.StatusCode));
        });
    }

    /// <summary>Without making a text for every request.</summary>
    public static string StatusText(int status) => Statuses[Math.Clamp(status, 0, Statuses.Length - 1)];

    private static string EndpointOf(HttpContext context)
    {
        // Who answers an exception forgets the endpoint, but says where it was.
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        // A group's own route ends in a slash that no caller sends.
        return (endpoint as RouteEndpoint)?.RoutePattern.RawText?.TrimEnd('/') ?? Unmatched;
    }

    private static string MethodOf(string method) => HttpMethods.GetCanonicalizedValue(method) switch
    {
        var known when HttpMethods.IsGet(known) || HttpMethods.IsPost(known) || HttpMethods.IsPut(known) || HttpMethods.IsDelete(known)
            || HttpMethods.IsHead(known) || HttpMethods.IsPatch(known) || HttpMethods.IsOptions(known) => known,
        _ => "other",
    };
}
