namespace PdiSimulator.Calls;

/// <summary>Counts before the answer is sent, so that whoever has received an answer finds it counted.</summary>
internal sealed class CallCountFilter(CallCounts counts) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        // Until an answer says otherwise the call has failed: an exception becomes a 500.
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
