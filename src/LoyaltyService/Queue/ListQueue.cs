using LoyaltyService.Http;

namespace LoyaltyService.Queue;

/// <param name="Items">The oldest first.</param>
/// <param name="Next">Send it as `after` to get the next page; absent on the last page.</param>
/// <param name="Counts">The size of the whole queue.</param>
internal sealed record QueueResponse(IReadOnlyList<QueueItem> Items, string? Next, QueueCounts Counts);

/// <param name="Waiting">Sessions that the service works on, now or when they are due.</param>
/// <param name="Parked">Sessions that wait for an operator.</param>
/// <param name="OldestAgeSeconds">How long the oldest session has waited; 0 if the queue is empty.</param>
internal sealed record QueueCounts(long Waiting, long Parked, long OldestAgeSeconds);

/// <summary>Lists the queue, with keyset pages: items that come or go do not shift a page.</summary>
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

        // One row more than a page shows whether there is a next page.
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
