using System.Globalization;
using LoyaltyService.Http;
using LoyaltyService.Privacy;

namespace LoyaltyService.Sessions;

/// <param name="Sessions">The newest first.</param>
/// <param name="Next">What to send as `after` for the next page; not there on the last one. A page may be short and still have a next one.</param>
internal sealed record SessionsResponse(IReadOnlyList<SessionItem> Sessions, string? Next);

/// <param name="SessionId">The session.</param>
/// <param name="Status">Its status.</param>
/// <param name="Client">The caller that created it.</param>
/// <param name="CustomerId">PDI's id of the customer.</param>
/// <param name="ChannelId">The till or ordering channel.</param>
/// <param name="TransactionId">The sale.</param>
/// <param name="StoreId">The store, where one was given.</param>
/// <param name="EarnedPoints">Of the last calculation; after finalize, what PDI gave.</param>
/// <param name="RedeemedPoints">What was redeemed.</param>
/// <param name="ReceiptId">PDI's receipt.</param>
/// <param name="FailureReason">Why it failed, if it failed.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="ExpiresAt">When it ends if it is not finalized.</param>
/// <param name="FinalizedAt">When it was finalized.</param>
/// <param name="ArchivedAt">When it was moved to the archive.</param>
/// <param name="Version">Its version.</param>
internal sealed record SessionItem(
    string SessionId,
    string Status,
    string Client,
    [property: CustomerIdentity] string CustomerId,
    string ChannelId,
    string TransactionId,
    string? StoreId,
    long EarnedPoints,
    long RedeemedPoints,
    string? ReceiptId,
    string? FailureReason,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? FinalizedAt,
    DateTimeOffset? ArchivedAt,
    int Version) : RedactedRecord
{
    public static SessionItem Of(FoundSession found) => new(
        Sessions.SessionId.Format(found.Id), found.Status, found.Client, found.CustomerId, found.ChannelId, found.TransactionId, found.StoreId,
        found.EarnedPoints, found.RedeemedPoints, found.ReceiptId, found.FailureReason, found.CreatedAt, found.ExpiresAt, found.FinalizedAt,
        found.ArchivedAt, found.Version);
}

/// <summary>The query's parameters, as they were sent.</summary>
internal sealed record ListSessionsQuery([property: CustomerIdentity] string? CustomerId, string? TransactionId, string? Status, string? From, string? To, string? Limit, string? After) : RedactedRecord;

/// <summary>Sessions of all clients, page by page, the newest first.</summary>
internal sealed class ListSessions(ISessionSearch search)
{
    public async Task<Answer<SessionsResponse>> RunAsync(ListSessionsQuery parameters, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var limit = PageCursor.ReadLimit(parameters.Limit, errors);
        var after = PageCursor.Read(parameters.After, errors);
        var query = new SessionQuery(
            parameters.CustomerId, parameters.TransactionId, ReadTime("from", parameters.From, errors), ReadTime("to", parameters.To, errors));
        errors.CheckOptionalId("customerId", parameters.CustomerId);
        errors.CheckOptionalId("transactionId", parameters.TransactionId);
        if (parameters.Status is { } status && !SessionStatusText.IsStatus(status))
            errors.Add(new FieldError("status", "must be pending, active, pending_finalization, finalizing, finalized or failed."));
        if (errors.Count > 0)
            return Rejection.Validation(errors);

        var rows = await search.WalkAsync(query, after, cancellationToken);
        var page = new List<SessionItem>();
        var seen = 0;
        while (seen < rows.Count && page.Count < limit)
        {
            var row = rows[seen++];
            if (parameters.Status is null || row.Status == parameters.Status)
                page.Add(SessionItem.Of(row));
        }

        var more = seen < rows.Count || rows.Count == ISessionSearch.RowsLookedAt;
        return Answer<SessionsResponse>.Of(
            StatusCodes.Status200OK,
            new SessionsResponse(page, more ? new PageCursor(rows[seen - 1].CreatedAt, rows[seen - 1].Id).ToString() : null),
            SessionsJson.Wire.SessionsResponse);
    }

    private static DateTimeOffset? ReadTime(string name, string? text, List<FieldError> errors)
    {
        if (text is null)
            return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return time;
        errors.Add(new FieldError(name, "must be a time as in 2026-01-31T12:00:00Z."));
        return null;
    }
}
