using LoyaltyService.Http;
using static LoyaltyService.Sessions.SessionsReference;

namespace LoyaltyService.Jobs;

internal static class JobsReference
{
    public static void Describe(ApiDescription api)
    {
        api.Words<FindingItem>("kind", FindingKinds.All);
        api.Words<JobRunItem>("outcome", ["running", "waiting", "done", "failed"]);

        var archived = new JobRunItem("archive-sessions", Created, true, Created, Created.AddSeconds(4), "done", 1, 12_000, null);
        api.ExampleAnswer(
            200,
            new JobsResponse([new JobItem("archive-sessions", "0 2 * * *", new DateTimeOffset(2025, 3, 17, 2, 0, 0, TimeSpan.Zero), [archived])]),
            JobsJson.Wire.JobsResponse);
        api.ExampleAnswer(202, archived with { FinishedAt = null, Outcome = "running", Handled = 0 }, JobsJson.Wire.JobRunItem);

        var missing = new FindingItem(
            "5f0c4a1e9b7d4c2f8a6e3d1b0c9f8e7d", "2025-03-16", ExampleId, FindingKinds.MissingAtPdi,
            "finalized, receipt RCP-2025-001, earned 450, redeemed 0", "open", Created.AddHours(11), null, null, null);
        api.ExampleAnswer(
            200,
            new ReconciliationResponse([missing], null, new LastDayItem("2025-03-16", 48_211, 1, Created.AddHours(12))),
            JobsJson.Wire.ReconciliationResponse);
        api.ExampleAnswer(
            200,
            missing with { ResolvedAt = Created.AddHours(18), ResolvedBy = "support", Resolution = "Given by hand, ticket 4711." },
            JobsJson.Wire.FindingItem);
    }
}
