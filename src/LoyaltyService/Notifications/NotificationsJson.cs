using System.Text.Json.Serialization;
using LoyaltyService.Http;

namespace LoyaltyService.Notifications;

/// <summary>The JSON of maintenance windows.</summary>
[JsonSerializable(typeof(MaintenanceRequest))]
[JsonSerializable(typeof(MaintenanceItem))]
[JsonSerializable(typeof(MaintenanceResponse))]
internal sealed partial class NotificationsJson : JsonSerializerContext
{
    public static NotificationsJson Wire => field ??= new(WireJson.NewOptions());
}
