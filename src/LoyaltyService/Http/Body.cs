using System.Buffers;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace LoyaltyService.Http;

/// <summary>A request that validates itself.</summary>
internal interface IRequestBody
{
    /// <summary>Adds an error for each invalid field.</summary>
    void Validate(ICollection<FieldError> errors);

    /// <summary>The meaning of a valid body: equal for a repeat in another spelling.</summary>
    Guid ToFingerprint();
}

/// <summary>A request with its JSON metadata.</summary>
internal interface IRequestBody<T> : IRequestBody
{
    static abstract JsonTypeInfo<T> Json { get; }
}

/// <summary>Reads the body of a route's requests before the handler does; null if the body is not valid.</summary>
internal sealed record BodyReader(Func<HttpContext, ValueTask<IRequestBody?>> ReadAsync);

/// <summary>
/// A request's body: the parsed and valid value, or a rejection. The framework's binding returns a bare 400 for a wrong member; this one names the field. It
/// validates too, so that no handler sees an invalid value.
/// </summary>
internal sealed class Body<T> : IEndpointParameterMetadataProvider
    where T : class, IRequestBody<T>
{
    private Body(T? value, Rejection? rejection)
    {
        Value = value;
        Rejection = rejection;
    }

    public T? Value { get; }

    public Rejection? Rejection { get; }

    /// <summary>Reads and parses the body once per request, for the rate limits and for the handler.</summary>
    public static async ValueTask<Body<T>> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        if (context.Features.Get<Body<T>>() is { } known)
            return known;
        var body = await ReadAsync(context);
        context.Features.Set(body);
        return body;
    }

    private static async ValueTask<Body<T>> ReadAsync(HttpContext context)
    {
        if (!IsJson(context.Request.ContentType))
            return new(null, new Rejection(HttpErrors.UnsupportedMediaType, $"The content type is \"{context.Request.ContentType}\"."));

        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var body = Parse(read.Buffer);
            reader.AdvanceTo(read.Buffer.End);
            return body;
        }
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder)
    {
        builder.Metadata.Add(new AcceptsMetadata(["application/json"], typeof(T), isOptional: false));
        builder.Metadata.Add(new BodyReader(async context => (await BindAsync(context, parameter)).Value));
        builder.Metadata.Add(new RouteErrors([HttpErrors.ValidationFailed, HttpErrors.BodyTooLarge, HttpErrors.UnsupportedMediaType]));
    }

    private static Body<T> Parse(ReadOnlySequence<byte> bytes)
    {
        try
        {
            var json = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = T.Json.Options.MaxDepth });
            var value = JsonSerializer.Deserialize(ref json, T.Json);
            if (value is null)
                return new(null, Rejection.Validation("body", "must be a JSON object."));
            if (json.Read())
                return new(null, Rejection.Validation("body", "must be one JSON object and nothing after it."));

            var errors = new List<FieldError>();
            value.Validate(errors);
            return errors.Count == 0 ? new(value, null) : new(null, Rejection.Validation(errors));
        }
        catch (JsonException broken)
        {
            return new(null, Rejection.Validation(FieldOf(broken), MessageOf(broken)));
        }
        // The serializer's exception for text that is not Unicode (a lone surrogate).
        catch (InvalidOperationException)
        {
            return new(null, Rejection.Validation("body", "must be valid Unicode."));
        }
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase));

    private static string FieldOf(JsonException broken) => broken.Path is null or "" or "$" ? "body" : broken.Path.TrimStart('$').TrimStart('.');

    private static string MessageOf(JsonException broken) => broken.Message switch
    {
        AmountConverter.TooManyDecimals => AmountConverter.TooManyDecimals,
        var text when text.Contains("could not be mapped", StringComparison.Ordinal) => "is not a member of this request.",
        var text when text.Contains("Duplicate", StringComparison.OrdinalIgnoreCase) => "is given twice.",
        var text when text.Contains("could not be converted", StringComparison.Ordinal) => "has the wrong type or is out of range.",
        var text when text.Contains("doesn't allow setting null", StringComparison.Ordinal) => "must not be null.",
        var text when text.Contains("maximum configured depth", StringComparison.Ordinal) => $"must not be nested deeper than {T.Json.Options.MaxDepth} levels.",
        _ => $"is not valid JSON at line {broken.LineNumber + 1}, byte {broken.BytePositionInLine + 1}.",
    };
}
