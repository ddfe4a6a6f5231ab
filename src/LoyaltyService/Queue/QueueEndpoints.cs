using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Pdi;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>The operators' routes to the queue of all clients. The handlers' comments are the texts of the API reference.</summary>
internal static class QueueEndpoints
{
    public static void MapQueue(this IEndpointRouteBuilder routes)
    {
        var queue = routes.MapGroup("/ops/queue").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors();

        queue.MapGet("", ListAsync).WithName("listQueue").IsList(("parked", ListParameters.Flag));
        queue.MapGet("/{sessionId}", GetAsync).WithName("getQueueItem")
            .Gives(SessionErrors.NotFound);
        queue.MapPost("/{sessionId}/replay", ReplayAsync).WithName("replayQueueItem")
            .Gives(SessionErrors.NotFound, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused);
        queue.MapPost("/{sessionId}/resolve", ResolveAsync).WithName("resolveQueueItem")
            .Gives(
                SessionErrors.NotFound, SessionErrors.InvalidState, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused,
                PdiErrors.Unavailable, PdiErrors.AuthFailed);
    }

    /// <summary>List the sessions that wait for PDI</summary>
    /// <remarks>
    /// Sessions of all clients with an outstanding call to PDI, the oldest first. The service retries by itself. A parked item has used up its
    /// attempts or its time and waits for an operator. Parked items do not count towards the queue's limit.
    /// </remarks>
    /// <param name="limit">Items per page.</param>
    /// <param name="after">`next` of the previous page.</param>
    /// <param name="parked">Only parked items (`true`), or only the others (`false`).</param>
    /// <response code="200">One page, and the size of the whole queue.</response>
    internal static Task<Answer<QueueResponse>> ListAsync(
        string? limit, string? after, string? parked, ListQueue list, CancellationToken cancellationToken) =>
        list.RunAsync(limit, after, parked, cancellationToken);

    /// <summary>Read an item that waits for PDI</summary>
    /// <remarks>Returns the item and its session's timeline.</remarks>
    /// <param name="sessionId">The session.</param>
    /// <response code="200">The item with the session's timeline.</response>
    internal static async Task<Answer<QueueItem>> GetAsync(
        string? sessionId, IPdiWorkStore work, ISessionStore sessions, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(sessionId, out var id) || await work.FindAsync(id, cancellationToken) is not { } row)
            return QueueRejections.NotWaiting();
        var events = await sessions.EventsAsync(id, cancellationToken);
        return Answer<QueueItem>.Of(
            StatusCodes.Status200OK, QueueItem.Of(row) with { Timeline = [.. events.Select(TimelineEntry.Of)] }, QueueJson.Wire.QueueItem);
    }

    /// <summary>Try again now</summary>
    /// <remarks>
    /// Makes the item due now, parked or not, with all its attempts and its time again. The service checks PDI's record first, so a replay never
    /// gives points twice. While the circuit breaker is open, the item waits until it lets a call through.
    /// </remarks>
    /// <param name="sessionId">The session.</param>
    /// <response code="200">The item after the replay.</response>
    internal static Task<Answer<QueueItem>> ReplayAsync(
        string? sessionId, HttpContext context, IdempotentRequests requests, ReplayItem replay, CancellationToken cancellationToken) =>
        requests.RunAsync(context, body: null, () => replay.RunAsync(sessionId, context.Operator(), cancellationToken));

    /// <summary>Give up on a parked item</summary>
    /// <remarks>
    /// The session becomes `failed` with the reason `resolved`, and the item is removed. The service checks PDI's record first. If PDI has finalized
    /// the sale, this returns 409: replay the item instead.
    /// </remarks>
    /// <param name="sessionId">The session.</param>
    /// <response code="200">The session has failed; no points were given.</response>
    internal static async Task<Answer<ResolveResponse>> ResolveAsync(
        string? sessionId,
        Body<ResolveRequest> body,
        HttpContext context,
        IdempotentRequests requests,
        ResolveItem resolve,
        CancellationToken cancellationToken) =>
        body.Rejection is { } rejection
            ? rejection
            : await requests.RunAsync(
                context, body.Value, () => resolve.RunAsync(sessionId, body.Value!.Reason!, context.Operator(), cancellationToken));
}
