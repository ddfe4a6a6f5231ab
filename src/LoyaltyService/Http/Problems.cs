using System.Diagnostics;
using System.Globalization;

namespace LoyaltyService.Http;

/// <summary>Writes problems for what never reaches a handler of ours, and names every answer's trace.</summary>
internal static class Problems
{
    /// <summary>Every answer carries the id to give to support: the trace's.</summary>
    public static void UseRequestId(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        var requestId = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;
        // At the last moment: an error's answer starts by clearing the headers.
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[Headers.RequestId] = requestId;
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
                HttpErrors.Unauthenticated, "The request has no valid key and no valid token.")),
            StatusCodes.Status403Forbidden => WriteAsync(context, new Rejection(HttpErrors.Forbidden, "The caller does not have the scope of this route.")),
            StatusCodes.Status404NotFound => WriteAsync(context, new Rejection(HttpErrors.NotFound, $"No route is {context.Request.Path}.")),
            StatusCodes.Status405MethodNotAllowed => WriteAsync(context, new Rejection(
                HttpErrors.MethodNotAllowed, $"{context.Request.Path} does not know {context.Request.Method}.")),
            StatusCodes.Status413PayloadTooLarge => WriteAsync(context, new Rejection(HttpErrors.BodyTooLarge, "The body has more than 64 KiB.")),
            StatusCodes.Status415UnsupportedMediaType => WriteAsync(context, new Rejection(
                HttpErrors.UnsupportedMediaType, $"The content type is \"{context.Request.ContentType}\".")),
            StatusCodes.Status400BadRequest => WriteAsync(context, Rejection.Validation("request", "is not valid HTTP.")),
            _ => Task.CompletedTask,
        };
    });

    public static async Task WriteAsync(HttpContext context, Rejection rejection)
    {
        context.Features.Set(rejection.Error);
        var problem = rejection.ToProblem();
        context.Response.StatusCode = problem.Status;
        if (rejection.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await context.Response.WriteAsJsonAsync(problem, HttpJson.Wire.Problem, "application/problem+json", CancellationToken.None);
    }
}
