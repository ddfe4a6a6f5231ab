using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>Answers that take the place of the right one, or spoil it.</summary>
internal static class FaultyAnswers
{
    public static Answer Status(Fault fault)
    {
        var status = fault.Status ?? StatusCodes.Status500InternalServerError;
        var body = Answer.Refused(status, fault.Code ?? "SIMULATED_FAULT", fault.Message ?? "The simulator was told to answer this.");

        // HTTP forbids a body with these, and the server would refuse to send one.
        var bodiless = status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified;
        return body with { Body = bodiless ? default : body.Body, RetryAfterSeconds = fault.RetryAfterSeconds };
    }

    public static Answer Rejection(Fault fault) => Answer.Refused(
        fault.Status ?? StatusCodes.Status422UnprocessableEntity,
        fault.Code ?? "REJECTED",
        fault.Message ?? "The simulator was told to refuse this.") with
    { RetryAfterSeconds = fault.RetryAfterSeconds };

    public static Answer NotJson() =>
        new(StatusCodes.Status200OK, Encoding.UTF8.GetBytes("PDI is down for maintenance."), "text/plain");

    public static Answer WithoutMember(Answer answer, string member) => Edit(answer, body => body.Remove(member));

    /// <summary>Null leaves the member out, which RFC 6749 allows; anything else is sent as it was given, however large.</summary>
    public static Answer WithExpiresIn(Answer answer, JsonElement? expiresIn) => Edit(answer, body =>
    {
        if (expiresIn is { } value)
            body["expires_in"] = JsonValue.Create(value);
        else
            body.Remove("expires_in");
    });

    /// <summary>The member a missing-member fault leaves out unless it names another: the one a caller can least do without.</summary>
    public static string RequiredMember(Operation operation) => operation switch
    {
        Operation.Token => "access_token",
        Operation.Identify => "pdiSessionId",
        Operation.CalculateRewards => "earnedPoints",
        Operation.Finalize => "newBalance",
        _ => "status",
    };

    // A refusal is left alone: it is not the answer these faults are about.
    private static Answer Edit(Answer answer, Action<JsonObject> change)
    {
        if (answer.Status != StatusCodes.Status200OK)
            return answer;

        var body = JsonNode.Parse(answer.Body.Span)!.AsObject();
        change(body);
        return answer with { Body = Encoding.UTF8.GetBytes(body.ToJsonString()) };
    }
}
