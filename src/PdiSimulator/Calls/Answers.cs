using System.Text.Json;

namespace PdiSimulator.Calls;

/// <summary>The answer to a call. It stays a value until it is sent, so a fault can replace it.</summary>
internal interface IAnswer : IResult
{
    /// <summary>The caller's view, for the call counts: a status code or <c>aborted</c>.</summary>
    string Outcome { get; }
}

/// <summary>A complete answer. It keeps the bytes, because a replay returns the same ones.</summary>
internal sealed record Answer(int Status, ReadOnlyMemory<byte> Body, string ContentType = "application/json") : IAnswer
{
    public int? RetryAfterSeconds { get; init; }

    public string Outcome => Status.ToString();

    public static Answer Json<T>(T body, int status = StatusCodes.Status200OK) =>
        new(status, JsonSerializer.SerializeToUtf8Bytes(body, SimulatorJson.Options));

    public static Answer Refused(int status, string code, string message) => Json(new Refusal(code, message), status);

    public static Answer InvalidRequest(string message) => Refused(StatusCodes.Status400BadRequest, "INVALID_REQUEST", message);

    public static Answer InvalidToken() =>
        Refused(StatusCodes.Status401Unauthorized, "INVALID_TOKEN", "The access token is missing, unknown or expired.");

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        WriteHead(httpContext.Response);

        if (!Body.IsEmpty)
            await httpContext.Response.Body.WriteAsync(Body, httpContext.RequestAborted);
    }

    /// <summary>Sets the status and the headers, including the length of the complete body.</summary>
    public void WriteHead(HttpResponse response)
    {
        response.StatusCode = Status;

        if (RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString();

        if (Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";

        if (Body.IsEmpty)
            return;

        response.ContentType = ContentType;
        response.ContentLength = Body.Length;
    }
}

internal sealed record Refusal(string Code, string Message);

/// <summary>No answer: the connection is reset.</summary>
internal sealed record AbortedAnswer : IAnswer
{
    public const string Name = "aborted";

    public string Outcome => Name;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Abort();
        return Task.CompletedTask;
    }
}
