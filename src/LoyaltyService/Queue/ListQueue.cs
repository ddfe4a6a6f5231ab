using LoyaltyService.Http;

namespace LoyaltyService.Queue;

/// <param name="Items">The oldest first.</param>
/// <param name="Next">What to send as `after` for the next page; not there on the last one.</param>
/// <param name="Counts">How much waits in all, whatever the page shows.</param>
internal sealed record QueueResponse(IReadOnlyList<QueueItem> Items, string? Next, QueueCounts Counts);

/// <param name="Waiting">Sessions that the service works on, now or when they are due.</param>
/// <param name="Parked">Sessions that wait for an operator.</param>
/// <param name="OldestAgeSeconds">How long the oldest of all has waited; 0 if nothing waits.</param>
internal sealed record QueueCounts(long Waiting, long Parked, long OldestAgeSeconds);

/// <summary>The queue, page by page: the page after a key, so that items that come or go meanwhile shift nothing.</summary>
internal sealed class ListQueue(IPdiWorkStore work)
{
    public async Task<Answer<QueueResponse>> RunAsync(string? limit, string? after, string? parked, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var pageSize = PageCursor.ReadLimit(limit, errors);
        var cursor = PageCursor.Read(after, errors);
        var filter = PageCursor.ReadFlag("parked", parked, errors);
        if (errors.Count > 0)
            return Rejection.Validation(errors);

        // One more than asked for: it tells whether there is a next page.
        var rows = await work.ListAsync(pageSize + 1, cursor, filter, cancellationToken);
        var counts = await work.CountAsync(cancellationToken);
        var page = rows.Take(pageSize).ToList();
        return Answer<QueueResponse>.Of(
            StatusCodes.Status200OK,
            new QueueResponse(
                [.. page.Select(QueueItem.Of)],
                rows.Count > pageSize ? new PageCursor(page[^1].CreatedAt, page[^1].SessionId).ToString() : null,
                new QueueCounts(counts.Waiting, counts.Parked, (long)counts.OldestAge.TotalSeconds)),
            QueueJson.Wire.QueueResponse);
    }
}
