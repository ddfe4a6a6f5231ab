using LoyaltyService.Http;
using LoyaltyService.Sessions;
using static LoyaltyService.Sessions.SessionsReference;

namespace LoyaltyService.Loyalty;

/// <summary>One sale from its customer to its receipt: the brief's example bodies, written as the service itself writes them.</summary>
internal static class LoyaltyReference
{
    public static void Describe(ApiDescription api)
    {
        api.Tags["Loyalty"] = "A sale, from its customer to its receipt: identify, calculate, finalize.";
        DescribeShapes(api);
        DescribeExamples(api);
        api.ExampleProblem(new(LoyaltyErrors.TransactionMismatch, "The session belongs to another transaction.") { SessionId = ExampleId });
    }

    private static void DescribeShapes(ApiDescription api)
    {
        foreach (var id in new[] { "customerId", "channelId", "transactionId", "storeId", "sessionId" })
            api.Member(id, FieldShapes.Id);
        foreach (var amount in new[] { "transactionAmount", "finalAmount", "unitPrice" })
            api.Member(amount, FieldShapes.Amount);
        api.Member("sku", FieldShapes.Text);
        api.Member("category", FieldShapes.Text);
        api.Member("metadata", static schema => schema.Type = Microsoft.OpenApi.JsonSchemaType.Object);
        api.Member("items", static schema => (schema.MinItems, schema.MaxItems) = (0, 500));
        api.Member("qty", static schema => (schema.Minimum, schema.Maximum) = ("1", "9999"));
        api.Member("redeemPoints", FieldShapes.Points);
        api.Member("version", FieldShapes.Version);
        api.PartOfRequest<RewardItem>();

        api.Words<IdentifyResponse>("status", [SessionStatus.Active.ToText(), SessionStatus.Pending.ToText()]);
        api.Words<CalculateRewardsResponse>("source", ["pdi", "estimate"]);
        api.Words<FinalizeResponse>("status", [SessionStatus.Finalized.ToText(), SessionStatus.Finalizing.ToText()]);
        api.Words<SessionResponse>("status", SessionStatusText.All);
    }

    private static void DescribeExamples(ApiDescription api)
    {
        var json = LoyaltyJson.Wire;
        api.ExampleRequest(new IdentifyRequest("CUST-12345", "POS-001", ExampleTransaction), json.IdentifyRequest);
        api.ExampleRequest(new CalculateRewardsRequest(ExampleId, 150.00m, [new RewardItem("SKU-001", 2)]), json.CalculateRewardsRequest);
        api.ExampleRequest(new FinalizeRequest(ExampleId, ExampleTransaction, 150.00m, true), json.FinalizeRequest);

        api.ExampleAnswer(200, new IdentifyResponse(ExampleId, "active", "John Doe", 5000, "Gold", 2, Expires), json.IdentifyResponse);
        api.ExampleAnswer(202, new IdentifyResponse(ExampleId, "pending", null, null, null, 1, Expires), json.IdentifyResponse);
        api.ExampleAnswer(
            200,
            new CalculateRewardsResponse(450, 3.0m, 150, new RewardBreakdown(300, 150), ExampleId, 3, "pdi", null, null),
            json.CalculateRewardsResponse);
        api.ExampleAnswer(200, new FinalizeResponse(ExampleId, "finalized", 450, 5450, "RCP-2025-001", 0, 5), json.FinalizeResponse);
        api.ExampleAnswer(202, new FinalizeResponse(ExampleId, "finalizing", null, null, null, null, 4), json.FinalizeResponse);
        api.ExampleAnswer(
            200,
            new SessionResponse(
                ExampleId, "finalized", "CUST-12345", "POS-001", ExampleTransaction, null, 450, 0, 5450, "RCP-2025-001", Created, Expires,
                Created.AddSeconds(30), 5, null),
            json.SessionResponse);
    }
}
