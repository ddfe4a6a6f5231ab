using System.Diagnostics.Metrics;
using System.Globalization;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Diagnostics;
using Label = System.Collections.Generic.KeyValuePair<string, object?>;

namespace LoyaltyService.Observability;

/// <summary>Counts every answered request, and its error if it has one.</summary>
internal sealed class RequestMetrics(Meter meter, IEnumerable<ErrorCode> knownErrors, EndpointDataSource routes, DailyCounts daily) : IFeatureMetrics
{
    /// <summary>The endpoint of a request that matches no route: callers choose paths, and must not choose labels.</summary>
    public const string Unmatched = "unmatched";

    private const string TillRoutes = "/loyalty/";

    private static readonly string[] Statuses = [.. Enumerable.Range(0, 600).Select(status => status.ToString(CultureInfo.InvariantCulture))];

    private readonly Counter<long> requests = meter.Counter("http_requests_total", "Requests that were answered, by route, method and status.");

    private readonly Counter<long> errors = meter.Counter("loyalty_errors_total", "Errors that callers were answered with, by code.");

    /// <summary>Without allocating a string per request.</summary>
    public static string StatusText(int status) => Statuses[Math.Clamp(status, 0, Statuses.Length - 1)];

    public void RequestAnswered(HttpContext context)
    {
        var (endpoint, status) = (EndpointOf(context), context.Response.StatusCode);
        requests.Add(1, new Label("endpoint", endpoint), new Label("method", MethodOf(context.Request.Method)), new Label("status", StatusText(status)));
        if (context.Features.Get<ErrorCode>() is { } error)
            errors.Add(1, new Label("code", error.Code));
        if (endpoint.StartsWith(TillRoutes, StringComparison.Ordinal))
            daily.CallAnswered(failed: status >= StatusCodes.Status500InternalServerError);
    }

    /// <summary>Shows failures of the till routes at zero, so that the step to the first one is visible.</summary>
    public void ShowAtZero()
    {
        foreach (var code in knownErrors.Select(error => error.Code).Distinct())
            errors.Add(0, new Label("code", code));

        requests.Add(0, new Label("endpoint", Unmatched), new Label("method", "GET"), new Label("status", "404"));
        foreach (var route in routes.Endpoints.OfType<RouteEndpoint>().Where(route => route.RoutePattern.RawText!.StartsWith(TillRoutes, StringComparison.Ordinal)))
        {
            foreach (var method in route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
            {
                requests.Add(0, new Label("endpoint", route.RoutePattern.RawText), new Label("method", method), new Label("status", "500"));
                requests.Add(0, new Label("endpoint", route.RoutePattern.RawText), new Label("method", method), new Label("status", "503"));
            }
        }
    }

    private static string EndpointOf(HttpContext context)
    {
        // The exception handler clears the endpoint, and keeps it in its feature.
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        // A group's own route ends in a slash, which no caller sends.
        return (endpoint as RouteEndpoint)?.RoutePattern.RawText?.TrimEnd('/') ?? Unmatched;
    }

    private static string MethodOf(string method) => HttpMethods.GetCanonicalizedValue(method) switch
    {
        var known when HttpMethods.IsGet(known) || HttpMethods.IsPost(known) || HttpMethods.IsPut(known) || HttpMethods.IsDelete(known)
            || HttpMethods.IsHead(known) || HttpMethods.IsPatch(known) || HttpMethods.IsOptions(known) => known,
        _ => "other",
    };
}

internal static class RequestMetricsMiddleware
{
    public static void UseRequestMetrics(this WebApplication app)
    {
        var metrics = app.Services.GetRequiredService<RequestMetrics>();
        app.Use(async (context, next) =>
        {
            await next(context);
            metrics.RequestAnswered(context);
        });
    }
}
