using System.Text.Json;
using System.Text.Json.Serialization;
using PdiSimulator.Faults;
using PdiSimulator.Loyalty;

namespace PdiSimulator;

/// <summary>How the simulator reads and writes JSON: camelCase, a missing member is an error, and a number is never a text.</summary>
internal static class SimulatorJson
{
    public static readonly JsonSerializerOptions Options = Create();

    /// <summary>For faults, most of whose members are not given.</summary>
    public static readonly JsonSerializerOptions WithoutNulls = new(Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static void Configure(JsonSerializerOptions options)
    {
        options.NumberHandling = JsonNumberHandling.Strict;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.Converters.Add(new JsonStringEnumConverter<Tier>(namingPolicy: null, allowIntegerValues: false));
        options.Converters.Add(new JsonStringEnumConverter<FaultKind>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
    }

    /// <summary>The body as <typeparamref name="T"/>, or what is wrong with it.</summary>
    public static async Task<(T? Value, string Mistake)> ReadAsync<T>(HttpRequest request) where T : class
    {
        try
        {
            var value = await JsonSerializer.DeserializeAsync<T>(request.Body, Options, request.HttpContext.RequestAborted);
            return (value, value is null ? "The body is null." : "");
        }
        catch (JsonException mistake)
        {
            // The caller's mistake, which the caller is told of; nothing has been done yet.
            return (null, mistake.Message);
        }
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
