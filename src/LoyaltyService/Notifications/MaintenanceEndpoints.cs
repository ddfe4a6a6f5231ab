using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Security;

namespace LoyaltyService.Notifications;

/// <summary>The operators' routes to announced work on the database. The comments of the handlers are the texts of the API reference.</summary>
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

    /// <summary>List announced work on the database</summary>
    /// <remarks>What is not over yet, also what was called off.</remarks>
    /// <response code="200">The windows, the next one first.</response>
    internal static async Task<Answer<MaintenanceResponse>> ListAsync(IMaintenanceStore windows, CancellationToken cancellationToken) =>
        Answer<MaintenanceResponse>.Of(
            StatusCodes.Status200OK,
            new MaintenanceResponse([.. (await windows.ListAsync(cancellationToken)).Select(MaintenanceItem.Of)]),
            NotificationsJson.Wire.MaintenanceResponse);

    /// <summary>Announce work on the database</summary>
    /// <remarks>
    /// Those who get the daily summary are told by mail, now and an hour before it begins. The service itself goes on as ever. The same
    /// hours announced again are the same window.
    /// </remarks>
    /// <response code="200">The window as it is announced.</response>
    internal static async Task<Answer<MaintenanceItem>> AnnounceAsync(
        Body<MaintenanceRequest> body, HttpContext context, IdempotentRequests requests, AnnounceMaintenance announce, CancellationToken cancellationToken) =>
        body.Rejection is { } rejection
            ? rejection
            : await requests.RunAsync(context, body.Value, () => announce.RunAsync(body.Value!, context.Operator(), cancellationToken));

    /// <summary>Call announced work off</summary>
    /// <remarks>Those who were told of it are told so. Called off again it is the same window.</remarks>
    /// <param name="id">The window.</param>
    /// <response code="200">The window as it is called off.</response>
    internal static Task<Answer<MaintenanceItem>> CallOffAsync(
        string? id, HttpContext context, IdempotentRequests requests, CallOffMaintenance callOff, CancellationToken cancellationToken) =>
        requests.RunAsync(context, body: null, () => callOff.RunAsync(id, context.Operator(), cancellationToken));
}

/// <param name="Windows">The next one first.</param>
internal sealed record MaintenanceResponse(IReadOnlyList<MaintenanceItem> Windows);

/// <param name="Id">For the route that calls it off.</param>
/// <param name="From">When it begins.</param>
/// <param name="Until">When it ends.</param>
/// <param name="Reason">In the operator's words.</param>
/// <param name="AnnouncedBy">Who.</param>
/// <param name="AnnouncedAt">When.</param>
/// <param name="CalledOffAt">When it was called off; not there if it was not.</param>
internal sealed record MaintenanceItem(
    string Id, DateTimeOffset From, DateTimeOffset Until, string Reason, string AnnouncedBy, DateTimeOffset AnnouncedAt, DateTimeOffset? CalledOffAt)
{
    public static MaintenanceItem Of(MaintenanceWindow window) => new(
        window.Id.ToString("N"), window.StartsAt, window.EndsAt, window.Reason, window.AnnouncedBy, window.AnnouncedAt, window.CalledOffAt);
}
