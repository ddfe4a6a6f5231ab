using LoyaltyService.Http;

namespace LoyaltyService.Server;

/// <summary>
/// A bound on the requests that are worked on at a time. Further ones are refused at once, which costs next to nothing: waiting in a queue
/// they would be answered when their callers have given up, and everybody behind them too.
/// </summary>
internal sealed class RequestsInWork(RequestDelegate next, ServerLimits limits)
{
    // Not all at the same moment.
    private const int LongestRetryAfter = 3;

    private int inWork;

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<AlwaysAnswersMetadata>() is not null)
        {
            await next(context);
            return;
        }

        try
        {
            if (Interlocked.Increment(ref inWork) <= limits.MaxRequestsInWork)
                await next(context);
            else
                await Problems.WriteAsync(context, new Rejection(HttpErrors.Overloaded, "As many requests as are allowed are worked on.")
                {
                    RetryAfter = TimeSpan.FromSeconds(Random.Shared.Next(1, LongestRetryAfter + 1)),
                });
        }
        finally
        {
            Interlocked.Decrement(ref inWork);
        }
    }
}
