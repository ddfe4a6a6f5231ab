using LoyaltyService.Http;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>Replay: an operator makes an item due now, with the attempts and the time of a new one.</summary>
internal sealed partial class ReplayItem(IPdiWorkStore work, PdiWorker worker, AuditTrail audit, ILogger<ReplayItem> logger)
{
    public static readonly AuditAction Action = new("queue.replay");

    public async Task<Answer<QueueItem>> RunAsync(string? sessionId, Operator by, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(sessionId, out var id))
            return QueueRejections.NotWaiting();
        var entry = new AuditEntry(by, Action, sessionId);
        if (await work.ReplayAsync(id, entry, cancellationToken) is not { } row)
            return await audit.RefusedAsync(entry, QueueRejections.NotWaiting());

        Log.ItemReplayed(logger, sessionId, by.Client);
        // This replica looks at once. If it is busy, another finds the item at its next poll.
        worker.Wake();
        return Answer<QueueItem>.Of(StatusCodes.Status200OK, QueueItem.Of(row), QueueJson.Wire.QueueItem);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "WorkItemReplayed", Level = LogLevel.Information, Message = "Replayed by an operator: {sessionId} by {client}")]
        public static partial void ItemReplayed(ILogger logger, string sessionId, string client);
    }
}
