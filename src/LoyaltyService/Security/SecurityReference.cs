using LoyaltyService.Http;

namespace LoyaltyService.Security;

internal static class SecurityReference
{
    public static void Describe(ApiDescription api, IEnumerable<AuditAction> actions)
    {
        api.Tags["Ops"] = "For operators: queue and sessions of all clients, jobs, reconciliation, maintenance, log level and audit. Needs the scope `ops`.";
        api.Words<AuditItem>("action", actions.Select(action => action.Name));
        api.ExampleAnswer(
            200,
            new AuditResponse(
                [
                    new AuditItem(
                        new DateTimeOffset(2025, 3, 17, 8, 30, 45, 123, TimeSpan.Zero), "support", null, "10.0.0.7", "queue.resolve", "sess_abc123",
                        AuditEntry.Done, "Given by hand, ticket 4711.", ApiDescription.TraceId),
                ],
                null),
            SecurityJson.Wire.AuditResponse);
    }
}
