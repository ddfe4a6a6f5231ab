using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>Plays the fault that hits a call: before the work, instead of it, or on its answer.</summary>
internal sealed class FaultFilter(ArmedFaults faults, Outage outage, IHostApplicationLifetime host, TimeProvider clock) : IEndpointFilter
{
    private static readonly TimeSpan s_defaultLatency = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_defaultDrip = TimeSpan.FromMilliseconds(100);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var call = context.HttpContext;

        if (faults.Take(call.GetOperation()) is not { } armed)
            return await next(context);

        // A call held back ends with its caller, with an outage, or with the simulator. Disposed with the response: a drip still uses it.
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

        switch (fault.Kind)
        {
            case FaultKind.Hang:
                await armed.HoldAsync(armed.Removed, ended);
                return await work();

            case FaultKind.CommitThenHang:
                var committed = await work();
                await armed.HoldAsync(armed.Removed, ended);
                return committed;

            case FaultKind.CommitThenStatus:
                await work();
                return FaultyAnswers.Status(fault);

            case FaultKind.CommitThenReset:
                await work();
                return new AbortedAnswer();

            case FaultKind.NotJson:
                await work();
                return FaultyAnswers.NotJson();

            default:
                return fault.Kind switch
                {
                    FaultKind.Latency => await work(),
                    FaultKind.Status => FaultyAnswers.Status(fault),
                    FaultKind.Reject => FaultyAnswers.Rejection(fault),
                    FaultKind.ExpiredToken => Answer.InvalidToken(),
                    FaultKind.Reset => new AbortedAnswer(),
                    FaultKind.Cut => new CutAnswer(await work(), clock),
                    FaultKind.Drip => new DripAnswer(await work(), Milliseconds(fault.LatencyMs) ?? s_defaultDrip, clock, ended),
                    FaultKind.MissingMember => FaultyAnswers.WithoutMember(await work(), fault.Member ?? FaultyAnswers.RequiredMember(operation)),
                    FaultKind.ExpiresIn => FaultyAnswers.WithExpiresIn(await work(), fault.ExpiresIn),
                    _ => throw new InvalidOperationException($"There is no play for {fault.Kind}."),
                };
        }
    }

    private static TimeSpan? DelayBefore(Fault fault) => fault.Kind switch
    {
        FaultKind.Drip => null,
        FaultKind.Latency => Milliseconds(fault.LatencyMs) ?? s_defaultLatency,
        _ => Milliseconds(fault.LatencyMs),
    };

    private static TimeSpan? Milliseconds(int? number) => number is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}
