using System.Collections.Concurrent;
using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>Holds at most one fault per operation and one for all. An operation's fault takes precedence.</summary>
internal sealed class ArmedFaults
{
    private readonly ConcurrentDictionary<FaultTarget, ArmedFault> _byTarget = new();

    public ArmedFaults(IEnumerable<(FaultTarget Target, Fault Fault)> atStart)
    {
        foreach (var (target, fault) in atStart)
            Arm(target, fault);
    }

    public ArmedFault Arm(FaultTarget target, Fault fault)
    {
        Remove(target);
        return _byTarget[target] = new ArmedFault(fault);
    }

    /// <summary>Returns the fault that hits this call, or null.</summary>
    public ArmedFault? Take(Operation operation) => Hit(new FaultTarget(operation)) ?? HitByAll(operation);

    public void Remove(FaultTarget target)
    {
        if (_byTarget.TryRemove(target, out var fault))
            fault.Remove();
    }

    public void RemoveAll()
    {
        foreach (var target in _byTarget.Keys)
            Remove(target);
    }

    public SortedDictionary<string, ArmedFaultView> ByTarget() =>
        new(_byTarget.ToDictionary(armed => armed.Key.ToString(), armed => armed.Value.View()), StringComparer.Ordinal);

    // A token call carries no token that could expire.
    private ArmedFault? HitByAll(Operation operation) =>
        operation == Operation.Token && _byTarget.TryGetValue(FaultTarget.All, out var all) && all.Fault.Kind == FaultKind.ExpiredToken
            ? null
            : Hit(FaultTarget.All);

    private ArmedFault? Hit(FaultTarget target) => _byTarget.TryGetValue(target, out var fault) && fault.TryHit() ? fault : null;
}
