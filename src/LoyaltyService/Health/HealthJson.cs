using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Health;

/// <summary>The JSON of the probes.</summary>
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(DependencyReport))]
internal sealed partial class HealthJson : JsonSerializerContext
{
    public static HealthJson Wire => field ??= new(WireJson.NewOptions());
}
