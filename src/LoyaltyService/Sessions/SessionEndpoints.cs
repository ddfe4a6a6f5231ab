using LoyaltyService.Configuration;
using LoyaltyService.Http;

namespace LoyaltyService.Sessions;

/// <summary>The operators' routes to the sessions of all clients. The comments of the handlers are the texts of the API reference.</summary>
internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/ops/sessions").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors();

        sessions.MapGet("", ListAsync).WithName("listSessions").IsList(("status", static _ => ListParameters.OneOf(SessionStatusText.All)));
        sessions.MapGet("/{sessionId}/events", GetEventsAsync).WithName("getSessionEvents")
            .Gives(SessionErrors.NotFound);
    }

    /// <summary>Find sessions</summary>
    /// <remarks>
    /// Sessions of all clients, archived ones too, the newest first. Give a customer or a transaction where you can: a search by status or
    /// time looks at a bounded number of sessions a page, so a page may be short or empty and still have a `next`.
    /// </remarks>
    /// <param name="customerId">Only this customer's.</param>
    /// <param name="transactionId">Only this transaction's, of whatever channel.</param>
    /// <param name="status">Only those that have this status now.</param>
    /// <param name="from">Only those created then or later.</param>
    /// <param name="to">Only those created then or earlier.</param>
    /// <param name="limit">How many sessions a page has.</param>
    /// <param name="after">`next` of the page before.</param>
    /// <response code="200">One page.</response>
    internal static Task<Answer<SessionsResponse>> ListAsync(
        string? customerId, string? transactionId, string? status, string? from, string? to, string? limit, string? after,
        ListSessions list, CancellationToken cancellationToken) =>
        list.RunAsync(new ListSessionsQuery(customerId, transactionId, status, from, to, limit, after), cancellationToken);

    /// <summary>Read a session's timeline</summary>
    /// <remarks>Everything that happened to the session, of whatever client, archived or not.</remarks>
    /// <param name="sessionId">The session.</param>
    /// <response code="200">The events, the oldest first.</response>
    internal static async Task<Answer<EventsResponse>> GetEventsAsync(string? sessionId, ISessionStore sessions, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(sessionId, out var id) || await sessions.EventsAsync(id, cancellationToken) is not [_, ..] events)
            return SessionRejections.NotFound();
        return Answer<EventsResponse>.Of(
            StatusCodes.Status200OK, new EventsResponse(sessionId, [.. events.Select(TimelineEntry.Of)]), SessionsJson.Wire.EventsResponse);
    }
}

/// <param name="SessionId">The session.</param>
/// <param name="Events">The oldest first.</param>
internal sealed record EventsResponse(string SessionId, IReadOnlyList<TimelineEntry> Events);
