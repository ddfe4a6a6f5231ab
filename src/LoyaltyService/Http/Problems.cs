using System.Diagnostics;
using System.Globalization;
using LoyaltyService.Loyalty;
using LoyaltyService.Observability;
using Microsoft.AspNetCore.Diagnostics;

namespace LoyaltyService.Http;

/// <summary>Writes problems for what never reaches a handler of ours, and names every answer's trace.</summary>
internal static class Problems
{
    private const string RequestIdHeader = "X-Request-Id";

    /// <summary>Every answer carries the id to give to support: the trace's.</summary>
    public static void UseRequestId(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        var requestId = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;
        // At the last moment: an error's answer starts by clearing the headers.
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[RequestIdHeader] = requestId;
            return Task.CompletedTask;
        });
        return next(context);
    });

    /// <summary>Bare status codes of the framework (no route, no method, no credentials) become problems.</summary>
    public static void UseStatusCodeProblems(this IApplicationBuilder app) => app.UseStatusCodePages(static pages =>
    {
        var context = pages.HttpContext;
        return context.Response.StatusCode switch
        {
            StatusCodes.Status401Unauthorized => WriteAsync(context, new Rejection(
                ErrorCode.Unauthenticated, "The request has no valid key and no valid token.")),
            StatusCodes.Status403Forbidden => WriteAsync(context, new Rejection(ErrorCode.Forbidden, "The caller does not have the scope of this route.")),
            StatusCodes.Status404NotFound => WriteAsync(context, new Rejection(ErrorCode.NotFound, $"No route is {context.Request.Path}.")),
            StatusCodes.Status405MethodNotAllowed => WriteAsync(context, new Rejection(
                ErrorCode.MethodNotAllowed, $"{context.Request.Path} does not know {context.Request.Method}.")),
            StatusCodes.Status413PayloadTooLarge => WriteAsync(context, new Rejection(ErrorCode.BodyTooLarge, "The body has more than 64 KiB.")),
            StatusCodes.Status415UnsupportedMediaType => WriteAsync(context, new Rejection(
                ErrorCode.UnsupportedMediaType, $"The content type is \"{context.Request.ContentType}\".")),
            StatusCodes.Status400BadRequest => WriteAsync(context, Rejection.Validation("request", "is not valid HTTP.")),
            _ => Task.CompletedTask,
        };
    });

    public static async Task WriteAsync(HttpContext context, Rejection rejection)
    {
        context.RequestServices.GetRequiredService<LoyaltyMetrics>().ErrorAnswered(rejection.Error);
        var problem = rejection.ToProblem();
        context.Response.StatusCode = problem.Status;
        if (rejection.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await context.Response.WriteAsJsonAsync(problem, LoyaltyJson.Wire.Problem, "application/problem+json", CancellationToken.None);
    }
}

/// <summary>
/// The one place where an exception becomes an answer: the service's own family by its code, a broken request by its status, and
/// anything else as a defect, which says nothing of its inside to the caller and everything to the log.
/// </summary>
internal sealed partial class ProblemExceptionHandler(ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && httpContext.RequestAborted.IsCancellationRequested)
        {
            // The caller has left; nobody reads an answer.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        await Problems.WriteAsync(httpContext, ToRejection(httpContext, exception));
        return true;
    }

    /// <summary>A business operation has told the log how it ended.</summary>
    private static bool IsTold(HttpContext context) => context.Features.Get<Operation>() is not null;

    private Rejection ToRejection(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case LoyaltyException known:
                if (!IsTold(context))
                    Log.RequestFailed(logger, known.Code.Describe().Code, RouteOf(context), known.Message, known.InnerException?.Message);
                return new Rejection(known.Code, known.Message) { RetryAfter = known.RetryAfter };
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new Rejection(ErrorCode.BodyTooLarge, "The body has more than 64 KiB.");
            case BadHttpRequestException broken:
                return Rejection.Validation("request", $"is not valid HTTP: {broken.Message}");
            // The server's word for a chunk whose size is beyond any number.
            case IOException { InnerException: OverflowException }:
                return Rejection.Validation("request", "is not valid HTTP: a chunk's size is out of range.");
            default:
                if (!IsTold(context))
                    Log.RequestDefect(logger, RouteOf(context), exception);
                return new Rejection(ErrorCode.InternalError, "Something unexpected happened.");
        }
    }

    /// <summary>Not the path: a caller may have written anything into it.</summary>
    private static string RouteOf(HttpContext context) =>
        context.Features.Get<IExceptionHandlerFeature>()?.Endpoint is RouteEndpoint route ? route.RoutePattern.RawText ?? "unmatched" : "unmatched";

    private static partial class Log
    {
        [LoggerMessage(EventName = "RequestFailed", Level = LogLevel.Warning, Message = "Request failed with {code} at {route}: {reason} {cause}")]
        public static partial void RequestFailed(ILogger logger, string code, string route, string reason, string? cause);

        [LoggerMessage(EventName = "RequestDefect", Level = LogLevel.Error, Message = "Defect at {route}")]
        public static partial void RequestDefect(ILogger logger, string route, Exception exception);
    }
}
