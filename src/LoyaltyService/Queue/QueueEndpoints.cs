using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Pdi;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>The operators' routes to what waits for PDI, of all clients. The comments of the handlers are the texts of the API reference.</summary>
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

    /// <summary>List what waits for PDI</summary>
    /// <remarks>
    /// The sessions of all clients that PDI still owes something, the oldest first. The service tries again by itself; a parked item has
    /// used up its attempts or its time and waits for an operator. What is parked does not count for the queue's limit.
    /// </remarks>
    /// <param name="limit">How many items a page has.</param>
    /// <param name="after">`next` of the page before.</param>
    /// <param name="parked">Only what is parked (`true`) or only what is not (`false`).</param>
    /// <response code="200">One page, and how much waits in all.</response>
    internal static Task<Answer<QueueResponse>> ListAsync(
        string? limit, string? after, string? parked, ListQueue list, CancellationToken cancellationToken) =>
        list.RunAsync(limit, after, parked, cancellationToken);

    /// <summary>Read an item that waits for PDI</summary>
    /// <remarks>The item, and everything that happened to its session.</remarks>
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
    /// The item is due at once and has all its attempts and its time ahead again, parked or not. PDI is asked first what it has done
    /// already, so a replay never gives points twice. While the circuit breaker is open the item waits until it lets a call through.
    /// </remarks>
    /// <param name="sessionId">The session.</param>
    /// <response code="200">The item as it waits now.</response>
    internal static Task<Answer<QueueItem>> ReplayAsync(
        string? sessionId, HttpContext context, IdempotentRequests requests, ReplayItem replay, CancellationToken cancellationToken) =>
        requests.RunAsync(context, body: null, () => replay.RunAsync(sessionId, context.Operator(), cancellationToken));

    /// <summary>Give up on a parked item</summary>
    /// <remarks>
    /// The session becomes `failed` with the reason `resolved`, and the item goes. PDI is asked first: a sale that it has finalized is
    /// refused here and has to be replayed instead.
    /// </remarks>
    /// <param name="sessionId">The session.</param>
    /// <response code="200">The session has failed; nothing was given for it.</response>
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
