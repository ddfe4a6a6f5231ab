using System.Collections.Concurrent;

namespace PdiSimulator.Calls;

/// <summary>How many calls of each operation ended in which way.</summary>
internal sealed class CallCounts
{
    private readonly ConcurrentDictionary<(Operation Operation, string Outcome), long> _counts = new();

    public void Add(Operation operation, string outcome) => _counts.AddOrUpdate((operation, outcome), 1, (_, count) => count + 1);

    public void Clear() => _counts.Clear();

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
