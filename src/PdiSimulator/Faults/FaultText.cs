using System.Text.Json;
using System.Text.Json.Nodes;

namespace PdiSimulator.Faults;

/// <summary>A fault on the command line: <c>operation:kind</c> or <c>operation:kind:name=value,name=value</c>.</summary>
internal static class FaultText
{
    public static (FaultTarget Target, Fault Fault) Parse(string text)
    {
        var parts = text.Split(':', 3);

        if (parts.Length < 2 || !FaultTarget.TryParse(parts[0], out var target))
            throw new SimulatorOptionException($"--fault must be operation:kind, not '{text}'.");

        var fault = ParseFault(text, parts[1], parts.ElementAtOrDefault(2));
        return fault.FindMistake(target) is { } mistake
            ? throw new SimulatorOptionException($"--fault {text}: {mistake}")
            : (target, fault);
    }

    // Goes through JSON, so the command line and the control interface accept the same names and values.
    private static Fault ParseFault(string text, string kind, string? settings)
    {
        var members = new JsonObject { ["kind"] = kind };

        foreach (var setting in settings?.Split(',') ?? [])
        {
            if (setting.Split('=', 2) is not [var name, var value])
                throw new SimulatorOptionException($"--fault {text}: '{setting}' must be name=value.");

            members[name] = ParseValue(value);
        }

        try
        {
            return members.Deserialize<Fault>(SimulatorJson.Options)!;
        }
        catch (JsonException mistake)
        {
            throw new SimulatorOptionException($"--fault {text}: {SimulatorJson.Explain(mistake)}");
        }
    }

    private static JsonNode? ParseValue(string value)
    {
        try
        {
            return JsonNode.Parse(value);
        }
        catch (JsonException)
        {
            // Not JSON, so it is plain text: codes and messages need no second pair of quotes.
            return JsonValue.Create(value);
        }
    }
}
