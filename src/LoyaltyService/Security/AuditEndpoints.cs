using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>The operators' route to the audit. The comments of the handler are the texts of the API reference.</summary>
internal static class AuditEndpoints
{
    private const int MaxFilterLength = 256;

    public static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/ops/audit").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors()
            .MapGet("", ListAsync).WithName("listAudit").IsList(("action", static services => ListParameters.OneOf(services.GetServices<AuditAction>().Select(action => action.Name))));

    /// <summary>List what operators did</summary>
    /// <remarks>
    /// Every action, done or refused: replay, resolve, a job run by hand, a changed log level; and, once an hour for each caller, address
    /// and route, the use of the operators' routes (`ops.use`). Rows are kept for 400 days and cannot be changed.
    /// </remarks>
    /// <param name="client">Only this client's; `(unknown)` for callers who were not known.</param>
    /// <param name="action">Only this action.</param>
    /// <param name="limit">How many rows a page has.</param>
    /// <param name="after">`next` of the page before.</param>
    /// <response code="200">One page, the newest first.</response>
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

        // One more than asked for: it tells whether there is a next page.
        var rows = await audit.ListAsync(pageSize + 1, cursor, client, action, cancellationToken);
        var page = rows.Take(pageSize).ToList();
        return Answer<AuditResponse>.Of(
            StatusCodes.Status200OK,
            new AuditResponse([.. page.Select(row => row.Action)], rows.Count > pageSize ? new PageCursor(page[^1].Action.At, page[^1].Id).ToString() : null),
            SecurityJson.Wire.AuditResponse);
    }
}

/// <param name="Actions">The newest first.</param>
/// <param name="Next">What to send as `after` for the next page; not there on the last one.</param>
internal sealed record AuditResponse(IReadOnlyList<AuditItem> Actions, string? Next);

/// <param name="At">When.</param>
/// <param name="Client">Who: a name of API_KEYS, a token's client with the prefix `jwt:` or `jwt-sub:`, `(command line)` or `(unknown)`.</param>
/// <param name="Subject">For whom the token was issued, where that is not the client itself; on the command line, the user.</param>
/// <param name="Source">From where: the caller's address, or the machine.</param>
/// <param name="Action">What was done.</param>
/// <param name="Target">To what: the session, the finding, the job, the route.</param>
/// <param name="Outcome"><c>done</c>, <c>accepted</c>, or the code of the refusal.</param>
/// <param name="Detail">The operator's reason; the level.</param>
/// <param name="TraceId">The trace of the request.</param>
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
