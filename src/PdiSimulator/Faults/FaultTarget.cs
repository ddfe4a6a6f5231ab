using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>The operation that a fault applies to, or all of them.</summary>
internal readonly record struct FaultTarget(Operation? Operation)
{
    private const string AllName = "all";

    public static FaultTarget All => default;

    public bool IsToken => Operation is Calls.Operation.Token;

    public override string ToString() => Operation?.Name() ?? AllName;

    public static bool TryParse(string name, out FaultTarget target)
    {
        target = OperationNames.TryParse(name, out var operation) ? new(operation) : All;
        return target != All || name == AllName;
    }
}
