using System.Text.Json;

namespace PdiSimulator.Calls;

/// <summary>The five calls of the wire contract. The control interface uses their names in camelCase.</summary>
internal enum Operation
{
    Token,
    Identify,
    CalculateRewards,
    Finalize,
    GetSessionStatus,
}

internal static class OperationNames
{
    private static readonly Dictionary<string, Operation> s_byName =
        Enum.GetValues<Operation>().ToDictionary(operation => operation.Name());

    public static string Name(this Operation operation) => JsonNamingPolicy.CamelCase.ConvertName(operation.ToString());

    public static bool TryParse(string name, out Operation operation) => s_byName.TryGetValue(name, out operation);
}
