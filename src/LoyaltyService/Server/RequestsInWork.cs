using LoyaltyService.Http;

namespace LoyaltyService.Server;

/// <summary>
/// Limits concurrent requests. Further ones are rejected at once, at almost no cost: queued, they would be answered after their callers gave up, and
/// delay everyone behind them.
/// </summary>
internal sealed class RequestsInWork(RequestDelegate next, ServerLimits limits)
{
    // Spreads the retries.
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
