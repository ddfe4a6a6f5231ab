using LoyaltyService.Http;
using static LoyaltyService.Sessions.SessionsReference;

namespace LoyaltyService.Notifications;

internal static class NotificationsReference
{
    public static void Describe(ApiDescription api)
    {
        const string Reason = "Upgrade to PostgreSQL 16.2. Expect 30 s of downtime.";

        api.Member("from", FieldShapes.Time);
        api.Member("until", FieldShapes.Time);

        var announced = new MaintenanceItem(
            "0b6c1d2e3f4a4b5c8d7e6f5a4b3c2d1e", new DateTimeOffset(2025, 3, 20, 2, 0, 0, TimeSpan.Zero),
            new DateTimeOffset(2025, 3, 20, 3, 30, 0, TimeSpan.Zero), Reason, "support", Created, null);
        api.ExampleRequest(new MaintenanceRequest("2025-03-20T02:00:00Z", "2025-03-20T03:30:00Z", Reason), NotificationsJson.Wire.MaintenanceRequest);
        api.ExampleAnswer(200, new MaintenanceResponse([announced]), NotificationsJson.Wire.MaintenanceResponse);
        api.ExampleAnswer(200, announced, NotificationsJson.Wire.MaintenanceItem);
    }
}
