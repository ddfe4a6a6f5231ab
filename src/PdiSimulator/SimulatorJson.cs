using System.Text.Json;
using System.Text.Json.Serialization;
using PdiSimulator.Faults;
using PdiSimulator.Loyalty;

namespace PdiSimulator;

/// <summary>The simulator's JSON: camelCase names, required members, and no numbers in quotes.</summary>
internal static class SimulatorJson
{
    public static readonly JsonSerializerOptions Options = Create();

    /// <summary>For faults, which set few of their members.</summary>
    public static readonly JsonSerializerOptions WithoutNulls = new(Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static void Configure(JsonSerializerOptions options)
    {
        options.NumberHandling = JsonNumberHandling.Strict;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.Converters.Add(new JsonStringEnumConverter<Tier>(namingPolicy: null, allowIntegerValues: false));
        options.Converters.Add(new JsonStringEnumConverter<FaultKind>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
    }

    /// <summary>Reads the body as <typeparamref name="T"/>. A null value comes with a message for the caller.</summary>
    public static async Task<(T? Value, string Mistake)> ReadAsync<T>(HttpRequest request) where T : class
    {
        try
        {
            var value = await JsonSerializer.DeserializeAsync<T>(request.Body, Options, request.HttpContext.RequestAborted);
            return (value, value is null ? "The body is null." : "");
        }
        catch (JsonException mistake)
        {
            // The caller's mistake: returned as a 400. Nothing has happened yet.
            return (null, Explain(mistake));
        }
    }

    /// <summary>Describes a JSON error without the serializer's wording, which names our types.</summary>
    public static string Explain(JsonException mistake)
    {
        const string MissingMembers = "missing required properties including: ";
        var members = mistake.Message.IndexOf(MissingMembers, StringComparison.Ordinal);

        return members < 0
            ? $"Invalid value at {mistake.Path ?? "$"}."
            : "Missing members: " + mistake.Message[(members + MissingMembers.Length)..].Split(" Path: ")[0];
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
