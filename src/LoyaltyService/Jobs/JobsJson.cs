using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Jobs;

/// <summary>The JSON of jobs and of the reconciliation.</summary>
[JsonSerializable(typeof(JobsResponse))]
[JsonSerializable(typeof(JobRunItem))]
[JsonSerializable(typeof(ReconciliationResponse))]
[JsonSerializable(typeof(FindingItem))]
internal sealed partial class JobsJson : JsonSerializerContext
{
    public static JobsJson Wire => field ??= new(WireJson.NewOptions());
}
