using System.Diagnostics;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Http;
using LoyaltyService.Privacy;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>Gives up on a parked item.</summary>
/// <param name="Reason">Why, stored as the session's failure: 1 to 200 characters, none of them a control character.</param>
internal sealed record ResolveRequest([property: Personal] string? Reason) : RedactedRecord, IRequestBody<ResolveRequest>
{
    public static JsonTypeInfo<ResolveRequest> Json => QueueJson.Wire.ResolveRequest;

    public const int MaxReasonLength = 200;

    public void Validate(ICollection<FieldError> errors)
    {
        if (string.IsNullOrWhiteSpace(Reason))
            errors.Add(new FieldError("reason", "is required."));
        else if (Reason.Length > MaxReasonLength || Reason.Any(char.IsControl))
            errors.Add(new FieldError("reason", $"must be 1 to {MaxReasonLength} characters, none of them a control character."));
    }

    public Guid ToFingerprint()
    {
        var fingerprint = new Fingerprint("resolve");
        fingerprint.Add(Reason);
        return fingerprint.ToGuid();
    }
}

/// <param name="SessionId">The session.</param>
/// <param name="Status"><c>failed</c>.</param>
/// <param name="Version">The session's version, as in <c>ETag</c>.</param>
/// <param name="Failure">Why it failed: <c>resolved</c>, in the operator's words.</param>
internal sealed record ResolveResponse(string SessionId, string Status, int Version, FailureResponse Failure);

/// <summary>
/// Resolve: an operator gives up on a parked item, and its session fails. A sale that PDI has committed must not fail, so PDI is asked
/// first. The worker makes no call between PDI's answer and the change: the change applies only if the item is still parked and the
/// session has not changed since.
/// </summary>
internal sealed partial class ResolveItem(IPdiWorkStore work, ISessionStore sessions, IEnumerable<IOwedKind> kinds, AuditTrail audit, ILogger<ResolveItem> logger)
{
    public static readonly AuditAction Action = new("queue.resolve");

    public async Task<Answer<ResolveResponse>> RunAsync(string? sessionId, string reason, Operator by, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(sessionId, out var id))
            return QueueRejections.NotWaiting();
        var entry = new AuditEntry(by, Action, sessionId, Detail: reason);
        if (await work.FindAsync(id, cancellationToken) is not { } item || await sessions.FindAsync(id, cancellationToken) is not { } session)
            return await audit.RefusedAsync(entry, QueueRejections.NotWaiting());
        if (await RefuseAsync(item, session) is { } refused)
            return await audit.RefusedAsync(entry, refused);

        var change = session.OperatorResolved(reason, by.Client, Causes.Operator) with { TraceId = Activity.Current?.TraceId.ToHexString(), Audit = entry };
        if (await sessions.SaveAsync(change, CancellationToken.None) is not { Failure: { } failure } resolved)
            return await audit.RefusedAsync(entry, QueueRejections.InvalidState(session, "The item has changed since you read it. Read it again."));

        Log.ItemResolved(logger, sessionId, by.Client, session.CustomerId);
        return Answer<ResolveResponse>.Of(
            StatusCodes.Status200OK,
            new ResolveResponse(sessionId, resolved.Status.ToText(), resolved.Version, new FailureResponse(failure.Reason, failure.Code, failure.Message)),
            QueueJson.Wire.ResolveResponse).WithVersion(resolved.Version);
    }

    private async Task<Rejection?> RefuseAsync(PdiWorkRow item, Session session)
    {
        if (item.ParkedAt is null)
            return QueueRejections.InvalidState(session, "The item is not parked; the service still retries it.");
        if (!SessionTransitions.Allows(session.Status, SessionEvent.OperatorResolved))
            return SessionRejections.InvalidState(session, "resolved");
        foreach (var kind in kinds.Where(kind => kind.IsOwedBy(session)))
        {
            if (await kind.FindEffectAsync(session) is { } effect)
                return QueueRejections.InvalidState(session, effect);
        }

        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "WorkItemResolved", Level = LogLevel.Warning, Message = "Resolved by an operator, no points given: {sessionId} by {client}")]
        public static partial void ItemResolved(ILogger logger, string sessionId, string client, [CustomerIdentity] string customerId);
    }
}
