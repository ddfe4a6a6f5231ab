namespace PdiSimulator.Calls;

/// <summary>Counts a call before its answer leaves, so a caller that has the answer sees it counted.</summary>
internal sealed class CallCountFilter(CallCounts counts) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        // An exception becomes a 500.
        var outcome = "500";

        if (context.HttpContext.Request.Headers["Idempotency-Key"].ToString() is { Length: > 0 } key)
            counts.AddKey(context.HttpContext.GetOperation(), key);

        try
        {
            var answer = await next(context);
            outcome = ((IAnswer)answer!).Outcome;
            return answer;
        }
        finally
        {
            counts.Add(context.HttpContext.GetOperation(), outcome);
        }
    }
}
