using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Sessions;

/// <summary>The JSON of the lists of sessions.</summary>
[JsonSerializable(typeof(SessionsResponse))]
[JsonSerializable(typeof(EventsResponse))]
internal sealed partial class SessionsJson : JsonSerializerContext
{
    public static SessionsJson Wire => field ??= new(WireJson.NewOptions());
}
