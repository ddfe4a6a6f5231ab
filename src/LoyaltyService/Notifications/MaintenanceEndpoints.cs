using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Security;

namespace LoyaltyService.Notifications;

/// <summary>The operators' routes to maintenance windows. The handlers' comments are the texts of the API reference.</summary>
internal static class MaintenanceEndpoints
{
    public static void MapMaintenance(this IEndpointRouteBuilder routes)
    {
        var windows = routes.MapGroup("/ops/maintenance").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors();

        windows.MapGet("", ListAsync).WithName("listMaintenance");
        windows.MapPost("", AnnounceAsync).WithName("announceMaintenance")
            .Gives(HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused);
        windows.MapPost("/{id}/call-off", CallOffAsync).WithName("callOffMaintenance")
            .Gives(HttpErrors.NotFound, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused);
    }

    /// <summary>List maintenance windows</summary>
    /// <remarks>Returns current and future windows, including those that were called off.</remarks>
    /// <response code="200">The windows, by start time.</response>
    internal static async Task<Answer<MaintenanceResponse>> ListAsync(IMaintenanceStore windows, CancellationToken cancellationToken) =>
        Answer<MaintenanceResponse>.Of(
            StatusCodes.Status200OK,
            new MaintenanceResponse([.. (await windows.ListAsync(cancellationToken)).Select(MaintenanceItem.Of)]),
            NotificationsJson.Wire.MaintenanceResponse);

    /// <summary>Announce database maintenance</summary>
    /// <remarks>
    /// Mails the recipients of the daily summary now, and again an hour before the window begins. The service keeps running. Announcing the
    /// same hours again returns the same window.
    /// </remarks>
    /// <response code="200">The announced window.</response>
    internal static async Task<Answer<MaintenanceItem>> AnnounceAsync(
        Body<MaintenanceRequest> body, HttpContext context, IdempotentRequests requests, AnnounceMaintenance announce, CancellationToken cancellationToken) =>
        body.Rejection is { } rejection
            ? rejection
            : await requests.RunAsync(context, body.Value, () => announce.RunAsync(body.Value!, context.Operator(), cancellationToken));

    /// <summary>Call off database maintenance</summary>
    /// <remarks>Notifies the same recipients. Idempotent: a repeat returns the same window.</remarks>
    /// <param name="id">The window.</param>
    /// <response code="200">The window, called off.</response>
    internal static Task<Answer<MaintenanceItem>> CallOffAsync(
        string? id, HttpContext context, IdempotentRequests requests, CallOffMaintenance callOff, CancellationToken cancellationToken) =>
        requests.RunAsync(context, body: null, () => callOff.RunAsync(id, context.Operator(), cancellationToken));
}

/// <param name="Windows">By start time.</param>
internal sealed record MaintenanceResponse(IReadOnlyList<MaintenanceItem> Windows);

/// <param name="Id">Identifies the window when you call it off.</param>
/// <param name="From">When it begins.</param>
/// <param name="Until">When it ends.</param>
/// <param name="Reason">The work and what to expect, in the operator's words.</param>
/// <param name="AnnouncedBy">The client that announced it.</param>
/// <param name="AnnouncedAt">When it was announced.</param>
/// <param name="CalledOffAt">When it was called off; absent if it was not.</param>
internal sealed record MaintenanceItem(
    string Id, DateTimeOffset From, DateTimeOffset Until, string Reason, string AnnouncedBy, DateTimeOffset AnnouncedAt, DateTimeOffset? CalledOffAt)
{
    public static MaintenanceItem Of(MaintenanceWindow window) => new(
        window.Id.ToString("N"), window.StartsAt, window.EndsAt, window.Reason, window.AnnouncedBy, window.AnnouncedAt, window.CalledOffAt);
}
