using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>Applies the fault that hits a call: before the work, instead of it, or to its answer.</summary>
internal sealed class FaultFilter(ArmedFaults faults, Outage outage, IHostApplicationLifetime host, TimeProvider clock) : IEndpointFilter
{
    private static readonly TimeSpan s_defaultLatency = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_defaultDrip = TimeSpan.FromMilliseconds(100);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var call = context.HttpContext;

        if (faults.Take(call.GetOperation()) is not { } armed)
            return await next(context);

        // A held call ends when its caller disconnects, an outage begins or the simulator stops.
        // The source lives as long as the response, because a drip uses it.
        var ended = CancellationTokenSource.CreateLinkedTokenSource(call.RequestAborted, outage.Begun, host.ApplicationStopping);
        call.Response.RegisterForDispose(ended);

        try
        {
            return await PlayAsync(armed, call.GetOperation(), async () => (Answer)(await next(context))!, ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return new AbortedAnswer();
        }
    }

    private async Task<IAnswer> PlayAsync(ArmedFault armed, Operation operation, Func<Task<Answer>> work, CancellationToken ended)
    {
        var fault = armed.Fault;

        if (DelayBefore(fault) is { } delay)
            await armed.HoldAsync(Task.Delay(delay, clock, ended), ended);

        if (fault.Kind == FaultKind.Hang)
            await armed.HoldAsync(armed.Removed, ended);

        if (InsteadOfWork(fault) is { } instead)
            return instead;

        var answer = await work();

        if (fault.Kind == FaultKind.CommitThenHang)
            await armed.HoldAsync(armed.Removed, ended);

        return AfterWork(fault, operation, answer, ended);
    }

    private static IAnswer? InsteadOfWork(Fault fault) => fault.Kind switch
    {
        FaultKind.Status => FaultyAnswers.Status(fault),
        FaultKind.Reject => FaultyAnswers.Rejection(fault),
        FaultKind.ExpiredToken => Answer.InvalidToken(),
        FaultKind.Reset => new AbortedAnswer(),
        _ => null,
    };

    private IAnswer AfterWork(Fault fault, Operation operation, Answer answer, CancellationToken ended) => fault.Kind switch
    {
        FaultKind.CommitThenStatus => FaultyAnswers.Status(fault),
        FaultKind.CommitThenReset => new AbortedAnswer(),
        FaultKind.Cut => new CutAnswer(answer, clock),
        FaultKind.Drip => new DripAnswer(answer, Milliseconds(fault.LatencyMs) ?? s_defaultDrip, clock, ended),
        FaultKind.NotJson => FaultyAnswers.NotJson(),
        FaultKind.MissingMember => FaultyAnswers.WithoutMember(answer, fault.Member ?? FaultyAnswers.RequiredMember(operation)),
        FaultKind.ExpiresIn => FaultyAnswers.WithExpiresIn(answer, fault.ExpiresIn),
        _ => answer,
    };

    private static TimeSpan? DelayBefore(Fault fault) => fault.Kind switch
    {
        FaultKind.Drip => null,
        FaultKind.Latency => Milliseconds(fault.LatencyMs) ?? s_defaultLatency,
        _ => Milliseconds(fault.LatencyMs),
    };

    private static TimeSpan? Milliseconds(int? number) => number is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}
