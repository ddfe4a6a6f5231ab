using System.Collections.Concurrent;

namespace LoyaltyService.Idempotency;

/// <summary>Settled answers in this process: the cache of the embedded default. Bounded; new entries evict old ones.</summary>
internal sealed class MemoryReplayCache(TimeProvider clock) : IReplayCache
{
    // About 400 bytes per entry: 40 MB at most. One sale a second makes 1,200 entries in ten minutes.
    private const int MaxEntries = 100_000;

    private readonly ConcurrentDictionary<ReplayKey, (Replay Replay, long RememberedAt)> entries = new();
    private readonly ConcurrentQueue<(ReplayKey Key, long RememberedAt)> inOrder = new();

    public ValueTask<Replay?> FindAsync(ReplayKey key) => ValueTask.FromResult(
        entries.TryGetValue(key, out var entry) && !IsOld(entry.RememberedAt) ? entry.Replay : null);

    public void Remember(ReplayKey key, Replay replay)
    {
        var now = clock.GetTimestamp();
        entries[key] = (replay, now);
        inOrder.Enqueue((key, now));
        Sweep();
    }

    public Task SweepAsync(Func<int, Task> swept, CancellationToken cancellationToken) => swept(Sweep());

    private int Sweep()
    {
        var removed = 0;
        while (inOrder.TryPeek(out var oldest) && (IsOld(oldest.RememberedAt) || inOrder.Count > MaxEntries) && inOrder.TryDequeue(out oldest))
        {
            if (entries.TryGetValue(oldest.Key, out var entry) && entry.RememberedAt == oldest.RememberedAt && entries.TryRemove(oldest.Key, out _))
                removed++;
        }

        return removed;
    }

    private bool IsOld(long rememberedAt) => clock.GetElapsedTime(rememberedAt) >= IReplayCache.Window;
}
