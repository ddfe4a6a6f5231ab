using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>Promises the whole body, sends half of it and resets the connection.</summary>
internal sealed record CutAnswer(Answer Whole, TimeProvider Clock) : IAnswer
{
    // A reset discards unsent bytes; this gives the first half time to leave.
    private static readonly TimeSpan s_timeToLeave = TimeSpan.FromMilliseconds(50);

    public string Outcome => AbortedAnswer.Name;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        Whole.WriteHead(httpContext.Response);
        await httpContext.Response.Body.WriteAsync(Whole.Body[..(Whole.Body.Length / 2)]);
        await httpContext.Response.Body.FlushAsync();
        await Task.Delay(s_timeToLeave, Clock);
        httpContext.Abort();
    }
}

/// <summary>Sends the headers at once and the body one byte at a time.</summary>
internal sealed record DripAnswer(Answer Whole, TimeSpan Pause, TimeProvider Clock, CancellationToken Ended) : IAnswer
{
    public string Outcome => Whole.Outcome;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        Whole.WriteHead(httpContext.Response);

        try
        {
            for (var sent = 0; sent < Whole.Body.Length; sent++)
            {
                await httpContext.Response.Body.WriteAsync(Whole.Body.Slice(sent, 1), Ended);
                await httpContext.Response.Body.FlushAsync(Ended);
                await Task.Delay(Pause, Clock, Ended);
            }
        }
        catch (OperationCanceledException) when (Ended.IsCancellationRequested)
        {
            // The caller disconnected or the simulator went down, so the rest is not sent.
            httpContext.Abort();
        }
    }
}
