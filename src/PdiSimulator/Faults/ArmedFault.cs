namespace PdiSimulator.Faults;

/// <summary>A fault, the number of calls it has hit, and the calls it holds.</summary>
internal sealed class ArmedFault(Fault fault)
{
    private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _hits;
    private int _waiting;

    public Fault Fault => fault;

    /// <summary>Completes when the fault is removed or replaced. The held calls then continue.</summary>
    public Task Removed => _removed.Task;

    /// <summary>Decides whether the fault hits this call. A used-up fault hits no more, but stays listed because it may still hold calls.</summary>
    public bool TryHit()
    {
        if (fault.Probability is { } probability && Random.Shared.NextDouble() >= probability)
            return false;

        // Overshooting the count is harmless: the fault hits only the calls with the first numbers.
        var hit = Interlocked.Increment(ref _hits);
        return fault.Count is not { } count || hit <= count;
    }

    public async Task HoldAsync(Task until, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);

        try
        {
            await until.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Remove() => _removed.TrySetResult();

    public ArmedFaultView View() => new(
        fault,
        Hits: fault.Count is { } count ? Math.Min(Volatile.Read(ref _hits), count) : Volatile.Read(ref _hits),
        Armed: fault.Count is not { } limit || Volatile.Read(ref _hits) < limit,
        Waiting: Volatile.Read(ref _waiting));
}

internal sealed record ArmedFaultView(Fault Fault, int Hits, bool Armed, int Waiting);
