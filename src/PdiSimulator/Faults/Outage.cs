using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>A PDI outage: resets every call, including those in flight.</summary>
internal sealed class Outage : IDisposable
{
    private readonly Lock _gate = new();
    private volatile CancellationTokenSource _begun = new();

    public bool IsDown => _begun.IsCancellationRequested;

    /// <summary>Cancelled when the next outage begins.</summary>
    public CancellationToken Begun => _begun.Token;

    public void Set(bool down)
    {
        lock (_gate)
        {
            if (down)
                _begun.Cancel();
            else if (IsDown)
                _begun = new CancellationTokenSource();
        }
    }

    public void Dispose() => _begun.Dispose();
}

internal sealed class OutageFilter(Outage outage) : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        outage.IsDown ? ValueTask.FromResult<object?>(new AbortedAnswer()) : next(context);
}
