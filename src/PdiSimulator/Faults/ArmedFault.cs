namespace PdiSimulator.Faults;

/// <summary>A fault together with how often it has hit and the calls it holds back.</summary>
internal sealed class ArmedFault(Fault fault)
{
    private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _hits;
    private int _waiting;

    public Fault Fault => fault;

    /// <summary>Completes when the fault is removed or replaced, which lets the calls it holds go on.</summary>
    public Task Removed => _removed.Task;

    /// <summary>A fault that has used up its count stays listed, because it may still hold calls back, but hits no more.</summary>
    public bool TryHit()
    {
        if (fault.Probability is { } probability && Random.Shared.NextDouble() >= probability)
            return false;

        // Counting up without looking back is safe: only a call that got one of the first numbers is hit.
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
