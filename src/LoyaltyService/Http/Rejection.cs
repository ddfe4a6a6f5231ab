using System.Diagnostics;
using LoyaltyService.Privacy;

namespace LoyaltyService.Http;

/// <summary>A rejection, as a value: the response to a request that changed nothing.</summary>
/// <param name="Error">The stable code with its status and title.</param>
/// <param name="Detail">What was wrong with this request.</param>
internal sealed record Rejection(ErrorCode Error, [property: Personal] string Detail) : RedactedRecord
{
    public IReadOnlyList<FieldError>? Fields { get; init; }

    public string? PdiCode { get; init; }

    public string? SessionId { get; init; }

    public string? CurrentStatus { get; init; }

    public int? CurrentVersion { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The trace to name instead of the current one: a remembered refusal names the trace that first met it.</summary>
    public string? TraceId { get; init; }

    public static Rejection Validation(IReadOnlyList<FieldError> fields) =>
        new(HttpErrors.ValidationFailed, fields.Count == 1 ? fields[0].ToString() : $"{fields.Count} fields are not valid.") { Fields = fields };

    public static Rejection Validation(string field, string message) => Validation([new FieldError(field, message)]);

    public Problem ToProblem()
    {
        var description = Error;
        return new Problem(
            Type: "urn:loyalty-service:error:" + description.Code,
            Title: description.Title,
            Status: description.Status,
            Detail: $"{Detail} {description.Advice}",
            Code: description.Code,
            TraceId: TraceId ?? Activity.Current?.TraceId.ToHexString() ?? "",
            Errors: Fields,
            PdiCode: PdiCode,
            SessionId: SessionId,
            CurrentStatus: CurrentStatus,
            CurrentVersion: CurrentVersion);
    }
}

/// <summary>One field of a request that is not valid.</summary>
/// <param name="Field">Its path in the body, for example <c>items[0].qty</c>, or the header's name.</param>
/// <param name="Message">What it must be.</param>
internal sealed record FieldError(string Field, string Message)
{
    public override string ToString() => $"{Field} {Message}";
}

/// <summary>An error as RFC 9457 describes it, with this service's members.</summary>
/// <param name="Type">A URN that ends in the code.</param>
/// <param name="Title">What went wrong, the same for every occurrence.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What went wrong this time, and what to do.</param>
/// <param name="Code">The stable code to decide by.</param>
/// <param name="TraceId">What to give to support.</param>
/// <param name="Errors">The fields that are not valid, each with what it must be.</param>
/// <param name="PdiCode">PDI's own code, where PDI refused.</param>
/// <param name="SessionId">The session that the refusal is about.</param>
/// <param name="CurrentStatus">The session's status, where it does not allow the operation.</param>
/// <param name="CurrentVersion">The session's version, where the caller's is an old one.</param>
internal sealed record Problem(
    string Type,
    string Title,
    int Status,
    [property: Personal] string Detail,
    string Code,
    string TraceId,
    IReadOnlyList<FieldError>? Errors = null,
    string? PdiCode = null,
    string? SessionId = null,
    string? CurrentStatus = null,
    int? CurrentVersion = null) : RedactedRecord;
