using System.Text.Json;
using System.Text.Json.Nodes;
using LoyaltyService.Health;
using LoyaltyService.Jobs;
using LoyaltyService.Logging;
using LoyaltyService.Loyalty;
using LoyaltyService.Notifications;
using LoyaltyService.Queue;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.OpenApi;

/// <summary>One sale from its customer to its receipt: the brief's example bodies, written as the service itself writes them.</summary>
internal static class Examples
{
    private const string SessionId = "sess_abc123";
    private const string TransactionId = "TXN-67890";

    private static readonly DateTimeOffset Created = new(2025, 3, 16, 14, 30, 45, 123, TimeSpan.Zero);
    private static readonly DateTimeOffset Expires = Created.AddHours(24);

    private static readonly object[] Requests =
    [
        new IdentifyRequest("CUST-12345", "POS-001", TransactionId),
        new CalculateRewardsRequest(SessionId, 150.00m, [new RewardItem("SKU-001", 2)]),
        new FinalizeRequest(SessionId, TransactionId, 150.00m, true),
        new ResolveRequest("Given by hand, ticket 4711."),
        new LogLevelRequest("debug"),
        new MaintenanceRequest("2025-03-20T02:00:00Z", "2025-03-20T03:30:00Z", "PostgreSQL 16.2. Expect half a minute without it."),
    ];

    private static readonly QueueItem Parked = new(
        SessionId, "finalizing", "CUST-12345", "POS-001", TransactionId, Created, Created.AddMinutes(20), false, 50, Created.AddMinutes(20),
        "PDI answered finalize with 503.");

    private static readonly FindingItem Missing = new(
        "5f0c4a1e9b7d4c2f8a6e3d1b0c9f8e7d", "2025-03-16", SessionId, "missing_at_pdi", "finalized, receipt RCP-2025-001, earned 450, redeemed 0", "open",
        Created.AddHours(11), null, null, null);

    private static readonly JobRunItem Archived = new(
        "archive-sessions", Created, true, Created, Created.AddSeconds(4), "done", 1, 12_000, null);

    private static readonly MaintenanceItem Announced = new(
        "0b6c1d2e3f4a4b5c8d7e6f5a4b3c2d1e", new DateTimeOffset(2025, 3, 20, 2, 0, 0, TimeSpan.Zero), new DateTimeOffset(2025, 3, 20, 3, 30, 0, TimeSpan.Zero),
        "PostgreSQL 16.2. Expect half a minute without it.", "support", Created, null);

    private static readonly (int Status, object Body)[] Answers =
    [
        (200, new IdentifyResponse(SessionId, "active", "John Doe", 5000, "Gold", 2, Expires)),
        (202, new IdentifyResponse(SessionId, "pending", null, null, null, 1, Expires)),
        (200, new CalculateRewardsResponse(450, 3.0m, 150, new RewardBreakdown(300, 150), SessionId, 3, "pdi", null, null)),
        (200, new FinalizeResponse(SessionId, "finalized", 450, 5450, "RCP-2025-001", 0, 5)),
        (202, new FinalizeResponse(SessionId, "finalizing", null, null, null, null, 4)),
        (200, new SessionResponse(
            SessionId, "finalized", "CUST-12345", "POS-001", TransactionId, null, 450, 0, 5450, "RCP-2025-001", Created, Expires,
            Created.AddSeconds(30), 5, null)),
        (200, new QueueResponse([Parked], null, new QueueCounts(0, 1, 3600))),
        (200, Parked with
        {
            Timeline =
            [
                new TimelineEntry(1, "created", "pending", "request", Created, null, 0, 0, null, null, ProblemExamples.TraceId),
                new TimelineEntry(2, "identified", "active", "request", Created, null, 0, 0, null, null, ProblemExamples.TraceId),
                new TimelineEntry(3, "calculated", "pending_finalization", "request", Created.AddSeconds(20), 150.00m, 450, 0, "pdi", null, ProblemExamples.TraceId),
                new TimelineEntry(4, "finalize_requested", "finalizing", "request", Created.AddSeconds(30), 150.00m, 450, 0, "pdi", null, ProblemExamples.TraceId),
            ],
        }),
        (200, new ResolveResponse(SessionId, "failed", 5, new FailureResponse("resolved", null, "Given by hand, ticket 4711."))),
        (200, new JobsResponse([new JobItem("archive-sessions", "0 2 * * *", new DateTimeOffset(2025, 3, 17, 2, 0, 0, TimeSpan.Zero), [Archived])])),
        (202, Archived with { FinishedAt = null, Outcome = "running", Handled = 0 }),
        (200, new SessionsResponse(
            [
                new SessionItem(
                    SessionId, "finalized", "till", "CUST-12345", "POS-001", TransactionId, null, 450, 0, "RCP-2025-001", null, Created, Expires,
                    Created.AddSeconds(30), null, 5),
            ],
            null)),
        (200, new EventsResponse(
            SessionId, [new TimelineEntry(1, "created", "pending", "request", Created, null, 0, 0, null, null, ProblemExamples.TraceId)])),
        (200, new ReconciliationResponse([Missing], null, new LastDayItem("2025-03-16", 48_211, 1, Created.AddHours(12)))),
        (200, Missing with { ResolvedAt = Created.AddHours(18), ResolvedBy = "support", Resolution = "Given by hand, ticket 4711." }),
        (200, new LogLevelResponse("debug")),
        (200, new AuditResponse(
            [
                new AuditItem(
                    Created.AddHours(18), "support", null, "10.0.0.7", AuditActions.ResolveItem, SessionId, AuditEntry.Done, "Given by hand, ticket 4711.",
                    ProblemExamples.TraceId),
            ],
            null)),
        (200, new MaintenanceResponse([Announced])),
        (200, Announced),
        (200, new HealthReport(HealthReporter.Healthy, Created, 3600, "1.0.0", "9fceb02d0ae598e95dc970b74767f19372d61af8")),
        (200, new DependencyReport(HealthReporter.Degraded, Created, 3600, new DependencyChecks(
            new CheckReport("up", 5), new CheckReport("up", 2), new PdiCheckReport("degraded", "HALF_OPEN", 4500)))),
        (503, new DependencyReport(HealthReporter.Unhealthy, Created, 3600, new DependencyChecks(
            new CheckReport("down", 1000), new CheckReport("up", 2), new PdiCheckReport("up", "CLOSED", 120)))),
    ];

    public static JsonNode? OfRequest(Type type) => Requests.FirstOrDefault(request => request.GetType() == type) is { } found ? Write(found) : null;

    public static JsonNode? OfAnswer(Type type, int status) =>
        Answers.FirstOrDefault(answer => answer.Status == status && answer.Body.GetType() == type).Body is { } found ? Write(found) : null;

    public static JsonNode Write(object body) => JsonSerializer.SerializeToNode(body, LoyaltyJson.Wire.GetTypeInfo(body.GetType())!)!;
}
