using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace LoyaltyService.Http;

/// <summary>
/// The response to a business request: a body of type <typeparamref name="T"/> or a problem, serialized once. A repeat gets exactly these bytes, which is
/// why this is not one of the framework's results.
/// </summary>
internal sealed class Answer<T> : IResult, IEndpointMetadataProvider
    where T : class
{
    private const string Json = "application/json; charset=utf-8";
    private const string ProblemJson = "application/problem+json";

    private Answer(int status, byte[] body)
    {
        Status = status;
        Body = body;
    }

    public int Status { get; }

    public byte[] Body { get; }

    /// <summary>The version in <c>ETag</c>.</summary>
    public int? Version { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public string? Location { get; init; }

    /// <summary>The error, if the response is a problem.</summary>
    public ErrorCode? Error { get; init; }

    /// <summary>The operation was completed earlier; this is its first answer.</summary>
    public bool IsReplay { get; init; }

    public static Answer<T> Of(int status, T value, JsonTypeInfo<T> type) => new(status, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>The operation was accepted and continues without the caller, who may poll <paramref name="location"/>.</summary>
    public static Answer<T> Accepted(T value, JsonTypeInfo<T> type, string location) =>
        new(StatusCodes.Status202Accepted, JsonSerializer.SerializeToUtf8Bytes(value, type))
        {
            Location = location,
            RetryAfter = TimeSpan.FromSeconds(5),
        };

    /// <summary>Replays a first answer.</summary>
    public static Answer<T> Replay(int status, byte[] body, ErrorCode? error) => new(status, body) { IsReplay = true, Error = error };

    public static implicit operator Answer<T>(Rejection rejection) =>
        new(rejection.Error.Status, JsonSerializer.SerializeToUtf8Bytes(rejection.ToProblem(), HttpJson.Wire.Problem))
        {
            Error = rejection.Error,
            RetryAfter = rejection.RetryAfter,
        };

    public Answer<T> AsReplay() =>
        new(Status, Body) { Error = Error, Version = Version, RetryAfter = RetryAfter, Location = Location, IsReplay = true };

    public Answer<T> WithVersion(int? version) =>
        new(Status, Body) { Error = Error, Version = version, RetryAfter = RetryAfter, Location = Location, IsReplay = IsReplay };

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(T), ["application/json"]));
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        if (Error is { } error)
            httpContext.Features.Set(error);
        if (Version is { } version)
            response.Headers.ETag = EntityTag(version);
        if (IsReplay)
            response.Headers[Headers.IdempotentReplayed] = "true";
        if (Location is not null)
            response.Headers.Location = Location;
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = WholeSeconds(wait);

        if (Status == StatusCodes.Status304NotModified)
            return;
        response.ContentType = Status < 400 ? Json : ProblemJson;
        response.ContentLength = Body.Length;
        await response.Body.WriteAsync(Body, httpContext.RequestAborted);
    }

    public static Answer<T> NotModified(int version) => new(StatusCodes.Status304NotModified, []) { Version = version };

    private static string EntityTag(int version) => new EntityTagHeaderValue($"\"{version}\"").ToString();

    /// <summary>Retry-After in whole seconds, rounded up, at least 1.</summary>
    private static string WholeSeconds(TimeSpan wait) =>
        Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
