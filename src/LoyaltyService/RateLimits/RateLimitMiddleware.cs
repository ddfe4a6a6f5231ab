using LoyaltyService.Http;

namespace LoyaltyService.RateLimits;

/// <summary>
/// Checks each request against the limits, after authentication. An unauthenticated request counts for its address alone, so that callers
/// without a key cannot use up the limit that those with keys share.
/// </summary>
internal sealed class RateLimitMiddleware(RequestDelegate next, RateLimiter limiter, RateLimitOptions limits)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<AlwaysAnswersMetadata>() is not null)
        {
            await next(context);
            return;
        }

        var demands = new List<Demand>(3);
        AddCaller(demands, context);
        if (context.User.Identity is { IsAuthenticated: true })
        {
            Add(demands, limits.Global, Guid.Empty);
            if (limits.Customer is not null && context.GetEndpoint()?.Metadata.GetMetadata<CustomerMetadata>() is { } customer)
            {
                // The body of a caller over its limit is not read.
                if (limiter.RefuseAtOnce(demands) is { } known)
                {
                    await RefuseAsync(context, known);
                    return;
                }

                if (await CustomerKey.ReadAsync(context, customer.Parameter) is { } id)
                    Add(demands, limits.Customer, Callers.Of(id));
            }
        }

        var decision = await limiter.DecideAsync(demands);
        if (decision.RefusedBy is null)
            await next(context);
        else
            await RefuseAsync(context, decision);
    }

    private void AddCaller(List<Demand> demands, HttpContext context)
    {
        if (context.User.Identity is { IsAuthenticated: true, Name: { } client } && limits.Clients.TryGetValue(client, out var own))
            Add(demands, own, Callers.Of(client));
        else
            Add(demands, limits.Address, Callers.Of(context.Connection.RemoteIpAddress));
    }

    private static void Add(List<Demand> demands, RateLimit? limit, Guid id)
    {
        if (limit is not null)
            demands.Add(new Demand(new BucketKey(limit.Kind, id), limit));
    }

    private static Task RefuseAsync(HttpContext context, Decision decision) => Problems.WriteAsync(
        context,
        new Rejection(HttpErrors.RateLimited, decision.RefusedBy switch
        {
            LimitKind.Customer => "There are too many requests for this customer.",
            LimitKind.Address => "There are too many requests from this address.",
            LimitKind.Client => "There are too many requests from this client.",
            _ => "There are too many requests for the service.",
        })
        {
            RetryAfter = decision.RetryAfter,
        });
}
