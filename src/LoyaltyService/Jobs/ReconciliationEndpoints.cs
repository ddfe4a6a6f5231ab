using System.Globalization;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Privacy;
using LoyaltyService.Queue;
using LoyaltyService.Security;

namespace LoyaltyService.Jobs;

/// <summary>The operators' routes to what the reconciliation found. The comments of the handlers are the texts of the API reference.</summary>
internal static class ReconciliationEndpoints
{
    public static readonly AuditAction ResolveFinding = new("reconciliation.resolve");

    public static void MapReconciliation(this IEndpointRouteBuilder routes)
    {
        var findings = routes.MapGroup("/ops/reconciliation").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors();

        findings.MapGet("", ListAsync).WithName("listFindings").IsList(("resolved", ListParameters.Flag));
        findings.MapPost("/{id}/resolve", ResolveAsync).WithName("resolveFinding")
            .Gives(HttpErrors.NotFound, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused);
    }

    /// <summary>List what differs from PDI's records</summary>
    /// <remarks>
    /// Each day the sessions that were closed the day before are compared with PDI's records. `missing_at_pdi`: finalized here and not
    /// there. `amounts_differ`: finalized on both sides with other points or another receipt. `finalized_at_pdi_only`: finalized there and
    /// not here; a session that was still waiting here is finished by the worker, and any other needs an operator.
    /// </remarks>
    /// <param name="limit">How many findings a page has.</param>
    /// <param name="after">`next` of the page before.</param>
    /// <param name="resolved">Only what is resolved (`true`) or only what is not (`false`).</param>
    /// <response code="200">One page, the newest first, and the last day that was compared.</response>
    internal static async Task<Answer<ReconciliationResponse>> ListAsync(
        string? limit, string? after, string? resolved, IReconciliationStore reconciliation, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var pageSize = PageCursor.ReadLimit(limit, errors);
        var cursor = PageCursor.Read(after, errors);
        var filter = PageCursor.ReadFlag("resolved", resolved, errors);
        if (errors.Count > 0)
            return Rejection.Validation(errors);

        // One more than asked for: it tells whether there is a next page.
        var findings = await reconciliation.ListAsync(pageSize + 1, cursor, filter, cancellationToken);
        var lastDay = await reconciliation.LastDayAsync(cancellationToken);
        var page = findings.Take(pageSize).ToList();
        return Answer<ReconciliationResponse>.Of(
            StatusCodes.Status200OK,
            new ReconciliationResponse(
                [.. page.Select(FindingItem.Of)],
                findings.Count > pageSize ? new PageCursor(page[^1].FoundAt, page[^1].Id).ToString() : null,
                lastDay is null ? null : new LastDayItem(TextOf(lastDay.Day), lastDay.Checked, lastDay.Found, lastDay.FinishedAt)),
            JobsJson.Wire.ReconciliationResponse);
    }

    /// <summary>Resolve a finding</summary>
    /// <remarks>Says that an operator has dealt with it, and how. The session itself is not changed.</remarks>
    /// <param name="id">The finding.</param>
    /// <response code="200">The finding as it is resolved.</response>
    internal static async Task<Answer<FindingItem>> ResolveAsync(
        string? id,
        Body<ResolveRequest> body,
        HttpContext context,
        IdempotentRequests requests,
        IReconciliationStore reconciliation,
        AuditTrail audit,
        CancellationToken cancellationToken) =>
        body.Rejection is { } rejection
            ? rejection
            : await requests.RunAsync(
                context, body.Value, () => ResolveOnceAsync(id, body.Value!.Reason!, context.Operator(), reconciliation, audit, cancellationToken));

    private static async Task<Answer<FindingItem>> ResolveOnceAsync(
        string? id, string reason, Operator by, IReconciliationStore reconciliation, AuditTrail audit, CancellationToken cancellationToken)
    {
        var notFound = new Rejection(HttpErrors.NotFound, "There is no open finding with this id.");
        if (!Guid.TryParseExact(id, "N", out var finding))
            return notFound;
        var entry = new AuditEntry(by, ResolveFinding, id, Detail: reason);
        return await reconciliation.ResolveAsync(finding, reason, entry, cancellationToken) is { } resolved
            ? Answer<FindingItem>.Of(StatusCodes.Status200OK, FindingItem.Of(resolved), JobsJson.Wire.FindingItem)
            : await audit.RefusedAsync(entry, notFound);
    }

    internal static string TextOf(DateOnly day) => day.ToString("O", CultureInfo.InvariantCulture);
}

/// <param name="Findings">The newest first.</param>
/// <param name="Next">What to send as `after` for the next page; not there on the last one.</param>
/// <param name="LastDay">The last day that was compared whole; not there before the first.</param>
internal sealed record ReconciliationResponse(IReadOnlyList<FindingItem> Findings, string? Next, LastDayItem? LastDay);

/// <param name="Day">The day, of UTC.</param>
/// <param name="Checked">How many sessions PDI was asked about.</param>
/// <param name="Found">How many of them differed.</param>
/// <param name="FinishedAt">When the comparison ended.</param>
internal sealed record LastDayItem(string Day, long Checked, long Found, DateTimeOffset FinishedAt);

/// <param name="Id">For the route that resolves it.</param>
/// <param name="Day">The day that was compared.</param>
/// <param name="SessionId">The session.</param>
/// <param name="Kind"><c>missing_at_pdi</c>, <c>amounts_differ</c> or <c>finalized_at_pdi_only</c>.</param>
/// <param name="Here">The session as it stood here.</param>
/// <param name="AtPdi">PDI's record of it.</param>
/// <param name="FoundAt">When it was found.</param>
/// <param name="ResolvedAt">When an operator resolved it.</param>
/// <param name="ResolvedBy">Who.</param>
/// <param name="Resolution">In the operator's words.</param>
internal sealed record FindingItem(
    string Id,
    string Day,
    string SessionId,
    string Kind,
    string Here,
    string AtPdi,
    DateTimeOffset FoundAt,
    DateTimeOffset? ResolvedAt,
    string? ResolvedBy,
    [property: Personal] string? Resolution) : RedactedRecord
{
    public static FindingItem Of(Finding finding) => new(
        finding.Id.ToString("N"), ReconciliationEndpoints.TextOf(finding.Day), Sessions.SessionId.Format(finding.SessionId), finding.Kind, finding.Here,
        finding.AtPdi, finding.FoundAt, finding.ResolvedAt, finding.ResolvedBy, finding.Resolution);
}
