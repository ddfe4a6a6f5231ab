using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Security;

/// <summary>The JSON of the audit.</summary>
[JsonSerializable(typeof(AuditResponse))]
internal sealed partial class SecurityJson : JsonSerializerContext
{
    public static SecurityJson Wire => field ??= new(WireJson.NewOptions());
}
