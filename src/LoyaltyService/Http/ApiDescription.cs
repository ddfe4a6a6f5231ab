using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.OpenApi;

namespace LoyaltyService.Http;

/// <summary>
/// What features add to the API reference, besides their types, comments and routes. Each adds its part in a file <c>…Reference</c> with
/// <c>services.Configure&lt;ApiDescription&gt;</c>; it is evaluated when the document is first read.
/// </summary>
internal sealed class ApiDescription
{
    /// <summary>The trace id in examples.</summary>
    public const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    private readonly Dictionary<Type, JsonNode> requests = [];
    private readonly Dictionary<(Type, int), JsonNode> answers = [];
    private readonly Dictionary<ErrorCode, Rejection> problems = [];
    private readonly Dictionary<(Type, string), string[]> words = [];
    private readonly Dictionary<string, Action<OpenApiSchema>> members = [];
    private readonly HashSet<Type> partsOfRequests = [];

    /// <summary>Descriptions of tags, by name.</summary>
    public Dictionary<string, string> Tags { get; } = [];

    public void ExampleRequest<T>(T body, JsonTypeInfo<T> type) => requests[typeof(T)] = JsonSerializer.SerializeToNode(body, type)!;

    public void ExampleAnswer<T>(int status, T body, JsonTypeInfo<T> type) => answers[(typeof(T), status)] = JsonSerializer.SerializeToNode(body, type)!;

    /// <summary>An example of an error, where the title alone does not show the response.</summary>
    public void ExampleProblem(Rejection rejection) => problems[rejection.Error] = rejection;

    /// <summary>The possible values of a member.</summary>
    public void Words<T>(string member, IEnumerable<string> values) => words[(typeof(T), member)] = [.. values];

    /// <summary>The shape of a request's member. A name means the same in every request.</summary>
    public void Member(string name, Action<OpenApiSchema> shape) => members[name] = shape;

    /// <summary>A type inside a request, as strict as the request.</summary>
    public void PartOfRequest<T>() => partsOfRequests.Add(typeof(T));

    public bool IsOfRequest(Type type) => typeof(IRequestBody).IsAssignableFrom(type) || partsOfRequests.Contains(type);

    public JsonNode? RequestExample(Type type) => requests.GetValueOrDefault(type)?.DeepClone();

    public JsonNode? AnswerExample(Type type, int status) => answers.GetValueOrDefault((type, status))?.DeepClone();

    public JsonNode ProblemExample(ErrorCode error)
    {
        var rejection = problems.GetValueOrDefault(error) ?? new Rejection(error, error.Title);
        return JsonSerializer.SerializeToNode((rejection with { TraceId = TraceId }).ToProblem(), HttpJson.Wire.Problem)!;
    }

    public void Shape(OpenApiSchema schema, Type owner, string member)
    {
        if (IsOfRequest(owner) && members.TryGetValue(member, out var shape))
            shape(schema);
        if (words.TryGetValue((owner, member), out var values))
            schema.Enum = [.. values];
    }
}
