using System.Collections.Concurrent;

namespace PdiSimulator.Calls;

/// <summary>Counts calls by operation and outcome, and distinct idempotency keys by operation.</summary>
internal sealed class CallCounts
{
    private readonly ConcurrentDictionary<(Operation Operation, string Outcome), long> _counts = new();
    private readonly ConcurrentDictionary<(Operation Operation, string Key), byte> _keys = new();

    public void Add(Operation operation, string outcome) => _counts.AddOrUpdate((operation, outcome), 1, (_, count) => count + 1);

    public void AddKey(Operation operation, string key) => _keys.TryAdd((operation, key), default);

    /// <summary>Returns the number of distinct idempotency keys by operation: one per intended effect, retries included.</summary>
    public SortedDictionary<string, int> KeysByOperation() => new(
        _keys.Keys.GroupBy(key => key.Operation.Name()).ToDictionary(keys => keys.Key, keys => keys.Count()), StringComparer.Ordinal);

    public void Clear()
    {
        _counts.Clear();
        _keys.Clear();
    }

    public SortedDictionary<string, SortedDictionary<string, long>> ByOperation()
    {
        var view = new SortedDictionary<string, SortedDictionary<string, long>>(StringComparer.Ordinal);

        foreach (var ((operation, outcome), count) in _counts)
        {
            if (!view.TryGetValue(operation.Name(), out var outcomes))
                view[operation.Name()] = outcomes = new(StringComparer.Ordinal);

            outcomes[outcome] = count;
        }

        return view;
    }
}
