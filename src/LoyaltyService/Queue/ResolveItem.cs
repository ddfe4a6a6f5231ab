using System.Diagnostics;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Privacy;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>Gives up on a parked item.</summary>
/// <param name="Reason">Why, for the session's failure: 1 to 200 characters, none of them a control character.</param>
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
/// Resolve: an operator gives up on a parked item, and its session fails. A sale that PDI has committed must not end like that, so PDI
/// is asked first. Nobody tells PDI anything between its answer and the change, since the change is made only while the item is
/// still parked and the session is as it was when PDI was asked.
/// </summary>
internal sealed partial class ResolveItem(IPdiWorkStore work, ISessionStore sessions, PdiClient pdi, AuditTrail audit, ILogger<ResolveItem> logger)
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
            return await audit.RefusedAsync(entry, QueueRejections.InvalidState(session, "The item was changed meanwhile: look at it again."));

        Log.ItemResolved(logger, sessionId, by.Client, session.CustomerId);
        return Answer<ResolveResponse>.Of(
            StatusCodes.Status200OK,
            new ResolveResponse(sessionId, resolved.Status.ToText(), resolved.Version, new FailureResponse(failure.Reason, failure.Code, failure.Message)),
            QueueJson.Wire.ResolveResponse).WithVersion(resolved.Version);
    }

    private async Task<Rejection?> RefuseAsync(PdiWorkRow item, Session session)
    {
        if (item.ParkedAt is null)
            return QueueRejections.InvalidState(session, "The item is not parked: the service still works on it.");
        if (!SessionTransitions.Allows(session.Status, SessionEvent.OperatorResolved))
            return SessionRejections.InvalidState(session, "resolved");
        return await IsFinalizedAtPdiAsync(session)
            ? QueueRejections.InvalidState(session, "PDI has finalized this sale: replay the item instead, and the session gets PDI's receipt.")
            : null;
    }

    /// <summary>By PDI's own record. A session that PDI does not know, or has voided, is not finalized; one that it never opened neither.</summary>
    private async Task<bool> IsFinalizedAtPdiAsync(Session session) =>
        session.PdiSessionId is { } pdiSessionId && (await pdi.GetSessionStatusAsync(pdiSessionId)).Value is { IsFinalized: true };

    private static partial class Log
    {
        [LoggerMessage(EventName = "WorkItemResolved", Level = LogLevel.Warning, Message = "Resolved by an operator: {sessionId} by {client}, nothing given")]
        public static partial void ItemResolved(ILogger logger, string sessionId, string client, [CustomerIdentity] string customerId);
    }
}
