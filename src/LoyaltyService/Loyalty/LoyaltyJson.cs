using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Loyalty;

/// <summary>The JSON of a sale.</summary>
[JsonSerializable(typeof(IdentifyRequest))]
[JsonSerializable(typeof(IdentifyResponse))]
[JsonSerializable(typeof(CalculateRewardsRequest))]
[JsonSerializable(typeof(CalculateRewardsResponse))]
[JsonSerializable(typeof(FinalizeRequest))]
[JsonSerializable(typeof(FinalizeResponse))]
[JsonSerializable(typeof(SessionResponse))]
internal sealed partial class LoyaltyJson : JsonSerializerContext
{
    public static LoyaltyJson Wire => field ??= new(WireJson.NewOptions());
}
