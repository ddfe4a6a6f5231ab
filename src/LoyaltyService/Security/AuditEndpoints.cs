using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>The operators' route to the audit. The handler's comments are the texts of the API reference.</summary>
internal static class AuditEndpoints
{
    private const int MaxFilterLength = 256;

    public static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/ops/audit").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors()
            .MapGet("", ListAsync).WithName("listAudit").IsList(("action", static services => ListParameters.OneOf(services.GetServices<AuditAction>().Select(action => action.Name))));

    /// <summary>List operator actions</summary>
    /// <remarks>
    /// Returns each action, done or rejected: replays, resolutions, manual job runs, log level changes. The use of operators' routes (`ops.use`)
    /// is recorded once an hour for each caller, address and route. Rows are kept for 400 days and cannot be changed.
    /// </remarks>
    /// <param name="client">Only this client; `(unknown)` selects unauthenticated callers.</param>
    /// <param name="action">Only this action.</param>
    /// <param name="limit">Rows per page.</param>
    /// <param name="after">`next` of the previous page.</param>
    /// <response code="200">One page, newest first.</response>
    internal static async Task<Answer<AuditResponse>> ListAsync(
        string? client, string? action, string? limit, string? after, IAuditStore audit, IEnumerable<AuditAction> actions, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var pageSize = PageCursor.ReadLimit(limit, errors);
        var cursor = PageCursor.Read(after, errors);
        if (client is not null && (client.Length > MaxFilterLength || client.Any(char.IsControl)))
            errors.Add(new FieldError("client", $"must be at most {MaxFilterLength} characters, none of them a control character."));
        if (action is not null && !actions.Any(known => known.Name == action))
            errors.Add(new FieldError("action", $"must be one of {string.Join(", ", actions.Select(known => known.Name))}."));
        if (errors.Count > 0)
            return Rejection.Validation(errors);

        // One more than requested, to learn whether a next page exists.
        var rows = await audit.ListAsync(pageSize + 1, cursor, client, action, cancellationToken);
        var page = rows.Take(pageSize).ToList();
        return Answer<AuditResponse>.Of(
            StatusCodes.Status200OK,
            new AuditResponse([.. page.Select(row => row.Action)], rows.Count > pageSize ? new PageCursor(page[^1].Action.At, page[^1].Id).ToString() : null),
            SecurityJson.Wire.AuditResponse);
    }
}

/// <param name="Actions">Newest first.</param>
/// <param name="Next">Send this as `after` to get the next page; absent on the last page.</param>
internal sealed record AuditResponse(IReadOnlyList<AuditItem> Actions, string? Next);

/// <param name="At">When it happened.</param>
/// <param name="Client">Who did it: a name in API_KEYS, a token's client with the prefix `jwt:` or `jwt-sub:`, `(command line)` or `(unknown)`.</param>
/// <param name="Subject">Whom the token was issued to, if not the client itself; on the command line, the user.</param>
/// <param name="Source">The caller's address; on the command line, the machine.</param>
/// <param name="Action">What the operator did.</param>
/// <param name="Target">The session, finding, job or route that it concerns.</param>
/// <param name="Outcome"><c>done</c>, <c>accepted</c>, or the error code of the rejection.</param>
/// <param name="Detail">The operator's reason, or the log level.</param>
/// <param name="TraceId">The request's trace.</param>
internal sealed record AuditItem(
    DateTimeOffset At,
    string Client,
    [property: Personal] string? Subject,
    [property: Personal] string Source,
    string Action,
    string? Target,
    string Outcome,
    [property: Personal] string? Detail,
    string? TraceId) : RedactedRecord;
