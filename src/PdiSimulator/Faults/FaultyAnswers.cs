using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>Answers that replace or corrupt the correct one.</summary>
internal static class FaultyAnswers
{
    public static Answer Status(Fault fault)
    {
        var status = fault.Status ?? StatusCodes.Status500InternalServerError;
        var body = Answer.Refused(status, fault.Code ?? "SIMULATED_FAULT", fault.Message ?? "A simulated fault.");

        // HTTP forbids a body here, and the server throws on one.
        var bodiless = status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified;
        return body with { Body = bodiless ? default : body.Body, RetryAfterSeconds = fault.RetryAfterSeconds };
    }

    public static Answer Rejection(Fault fault) => Answer.Refused(
        fault.Status ?? StatusCodes.Status422UnprocessableEntity,
        fault.Code ?? "REJECTED",
        fault.Message ?? "A simulated refusal.") with
    { RetryAfterSeconds = fault.RetryAfterSeconds };

    public static Answer NotJson() =>
        new(StatusCodes.Status200OK, Encoding.UTF8.GetBytes("PDI is down for maintenance."), "text/plain");

    public static Answer WithoutMember(Answer answer, string member) => Edit(answer, body => body.Remove(member));

    /// <summary>Null omits the member, as RFC 6749 allows. Any other value is sent unchanged.</summary>
    public static Answer WithExpiresIn(Answer answer, JsonElement? expiresIn) => Edit(answer, body =>
    {
        if (expiresIn is { } value)
            body["expires_in"] = JsonValue.Create(value);
        else
            body.Remove("expires_in");
    });

    /// <summary>Returns the member that a missing-member fault omits by default: the one that callers depend on most.</summary>
    public static string RequiredMember(Operation operation) => operation switch
    {
        Operation.Token => "access_token",
        Operation.Identify => "pdiSessionId",
        Operation.CalculateRewards => "earnedPoints",
        Operation.Finalize => "newBalance",
        _ => "status",
    };

    // These faults change only successful answers.
    private static Answer Edit(Answer answer, Action<JsonObject> change)
    {
        if (answer.Status != StatusCodes.Status200OK)
            return answer;

        var body = JsonNode.Parse(answer.Body.Span)!.AsObject();
        change(body);
        return answer with { Body = Encoding.UTF8.GetBytes(body.ToJsonString()) };
    }
}
