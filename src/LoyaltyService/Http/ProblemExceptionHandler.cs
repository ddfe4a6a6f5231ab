using Microsoft.AspNetCore.Diagnostics;

namespace LoyaltyService.Http;

/// <summary>A feature of a request whose handler logs its own failures, so that they are not logged twice.</summary>
internal sealed record FailureLogged;

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
            // The caller is gone.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        await Problems.WriteAsync(httpContext, ToRejection(httpContext, exception));
        return true;
    }

    private static bool IsLogged(HttpContext context) => context.Features.Get<FailureLogged>() is not null;

    private Rejection ToRejection(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case LoyaltyException known:
                if (!IsLogged(context))
                    Log.RequestFailed(logger, known.Code.Code, RouteOf(context), known.Message, known.InnerException?.Message);
                return new Rejection(known.Code, known.Message) { RetryAfter = known.RetryAfter };
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new Rejection(HttpErrors.BodyTooLarge, "The body has more than 64 KiB.");
            case BadHttpRequestException broken:
                return Rejection.Validation("request", $"is not valid HTTP: {broken.Message}");
            // The server's word for a chunk whose size is beyond any number.
            case IOException { InnerException: OverflowException }:
                return Rejection.Validation("request", "is not valid HTTP: a chunk's size is out of range.");
            default:
                if (!IsLogged(context))
                    Log.RequestDefect(logger, RouteOf(context), exception);
                return new Rejection(HttpErrors.InternalError, "Something unexpected happened.");
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
