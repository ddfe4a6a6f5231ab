using LoyaltyService.Http;

namespace LoyaltyService.Sessions;

/// <summary>The session of all examples, and the words of the lists.</summary>
internal static class SessionsReference
{
    public const string ExampleId = "sess_abc123";
    public const string ExampleTransaction = "TXN-67890";

    public static readonly DateTimeOffset Created = new(2025, 3, 16, 14, 30, 45, 123, TimeSpan.Zero);
    public static readonly DateTimeOffset Expires = Created.AddHours(24);

    public static void Describe(ApiDescription api)
    {
        api.Words<TimelineEntry>("event", [SessionEventText.Created, .. Enum.GetValues<SessionEvent>().Select(SessionEventText.ToText)]);
        api.Words<TimelineEntry>("status", SessionStatusText.All);
        api.Words<TimelineEntry>("cause", [Causes.Request, Causes.Worker, Causes.Job, Causes.Operator]);
        api.Words<TimelineEntry>("rewardSource", ["pdi", "estimate"]);
        api.Words<SessionItem>("status", SessionStatusText.All);

        api.ExampleAnswer(
            200,
            new SessionsResponse(
                [
                    new SessionItem(
                        ExampleId, "finalized", "till", "CUST-12345", "POS-001", ExampleTransaction, null, 450, 0, "RCP-2025-001", null, Created, Expires,
                        Created.AddSeconds(30), null, 5),
                ],
                null),
            SessionsJson.Wire.SessionsResponse);
        api.ExampleAnswer(200, new EventsResponse(ExampleId, [ExampleCreation]), SessionsJson.Wire.EventsResponse);

        api.ExampleProblem(SessionRejections.NotFound());
        api.ExampleProblem(Conflict(SessionErrors.InvalidState, "A session that is failed cannot be finalized.", "failed"));
        api.ExampleProblem(Conflict(SessionErrors.VersionConflict, StaleVersion, "pending_finalization"));
        api.ExampleProblem(Conflict(SessionErrors.PreconditionFailed, StaleVersion, "pending_finalization"));
    }

    public static readonly TimelineEntry ExampleCreation =
        new(1, "created", "pending", "request", Created, null, 0, 0, null, null, ApiDescription.TraceId);

    private const string StaleVersion = "The request is about version 2; the session has version 3.";

    private static Rejection Conflict(ErrorCode error, string detail, string status) =>
        new(error, detail) { SessionId = ExampleId, CurrentStatus = status, CurrentVersion = 3 };
}
