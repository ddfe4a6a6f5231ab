using LoyaltyService.Http;
using LoyaltyService.Sessions;
using static LoyaltyService.Sessions.SessionsReference;

namespace LoyaltyService.Queue;

internal static class QueueReference
{
    public static void Describe(ApiDescription api)
    {
        api.Member("reason", schema => (schema.MinLength, schema.MaxLength) = (1, ResolveRequest.MaxReasonLength));
        api.Words<QueueItem>("status", SessionStatusText.All);
        api.Words<ResolveResponse>("status", [SessionStatus.Failed.ToText()]);
        api.Words<FailureResponse>("reason", [SessionFailure.RejectedByPdi, SessionFailure.Expired, SessionFailure.Resolved]);

        var parked = new QueueItem(
            ExampleId, "finalizing", "CUST-12345", "POS-001", ExampleTransaction, Created, Created.AddMinutes(20), false, 50, Created.AddMinutes(20),
            "PDI answered finalize with 503.");
        api.ExampleRequest(new ResolveRequest("Given by hand, ticket 4711."), QueueJson.Wire.ResolveRequest);
        api.ExampleAnswer(200, new QueueResponse([parked], null, new QueueCounts(0, 1, 3600)), QueueJson.Wire.QueueResponse);
        api.ExampleAnswer(
            200,
            parked with
            {
                Timeline =
                [
                    ExampleCreation,
                    new(2, "identified", "active", "request", Created, null, 0, 0, null, null, ApiDescription.TraceId),
                    new(3, "calculated", "pending_finalization", "request", Created.AddSeconds(20), 150.00m, 450, 0, "pdi", null, ApiDescription.TraceId),
                    new(4, "finalize_requested", "finalizing", "request", Created.AddSeconds(30), 150.00m, 450, 0, "pdi", null, ApiDescription.TraceId),
                ],
            },
            QueueJson.Wire.QueueItem);
        api.ExampleAnswer(
            200,
            new ResolveResponse(ExampleId, "failed", 5, new FailureResponse("resolved", null, "Given by hand, ticket 4711.")),
            QueueJson.Wire.ResolveResponse);
    }
}
