using LoyaltyService.Http;
using LoyaltyService.Privacy;
using LoyaltyService.Sessions;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace LoyaltyService.Loyalty;

/// <param name="SessionId">The session.</param>
/// <param name="Status"><c>pending</c>, <c>active</c>, <c>pending_finalization</c>, <c>finalizing</c>, <c>finalized</c> or <c>failed</c>.</param>
/// <param name="CustomerId">PDI's id of the customer.</param>
/// <param name="ChannelId">The till or ordering channel.</param>
/// <param name="TransactionId">The sale.</param>
/// <param name="StoreId">The store, if the caller named one.</param>
/// <param name="EarnedPoints">Points of the last calculation; after finalize, those that PDI gave.</param>
/// <param name="RedeemedPoints">Redeemed points.</param>
/// <param name="NewBalance">The customer's balance after finalize.</param>
/// <param name="ReceiptId">PDI's receipt.</param>
/// <param name="CreatedAt">When the session was created.</param>
/// <param name="ExpiresAt">When it expires if it is not finalized.</param>
/// <param name="FinalizedAt">When it was finalized; null until then.</param>
/// <param name="Version">The session's version, as in <c>ETag</c>.</param>
/// <param name="Failure">Why it failed, if it did.</param>
internal sealed record SessionResponse(
    string SessionId,
    string Status,
    [property: CustomerIdentity] string CustomerId,
    string ChannelId,
    string TransactionId,
    string? StoreId,
    long EarnedPoints,
    long RedeemedPoints,
    long? NewBalance,
    string? ReceiptId,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.Never)]
    DateTimeOffset? FinalizedAt,
    int Version,
    FailureResponse? Failure) : RedactedRecord;

/// <summary>Status: the stored session. Does not call PDI.</summary>
internal sealed class GetSessionStatus(ISessionStore sessions)
{
    public async Task<Answer<SessionResponse>> RunAsync(
        string? sessionId, string client, StringValues ifNoneMatch, Operation operation, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(sessionId, out var id) || await sessions.FindAsync(id, client, cancellationToken) is not { } session)
            return SessionRejections.NotFound();
        operation.IsAbout(session);
        if (HasAlready(ifNoneMatch, session.Version))
            return Answer<SessionResponse>.NotModified(session.Version);

        return Answer<SessionResponse>.Of(StatusCodes.Status200OK, ToResponse(session), LoyaltyJson.Wire.SessionResponse)
            .WithVersion(session.Version);
    }

    /// <summary>Whether one of the tags, weak or strong, is the version's (RFC 9110, 13.1.2). Invalid tags are ignored.</summary>
    private static bool HasAlready(StringValues ifNoneMatch, int version)
    {
        var current = new EntityTagHeaderValue($"\"{version}\"");
        return EntityTagHeaderValue.TryParseList(ifNoneMatch, out var tags)
            && tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(current, useStrongComparison: false));
    }

    private static SessionResponse ToResponse(Session session) => new(
        SessionId.Format(session.Id),
        session.Status.ToText(),
        session.CustomerId,
        session.ChannelId,
        session.TransactionId,
        session.StoreId,
        session.EarnedPoints,
        session.RedeemedPoints,
        session.NewBalance,
        session.ReceiptId,
        session.CreatedAt,
        session.ExpiresAt,
        session.FinalizedAt,
        session.Version,
        session.Failure is { } failure ? new FailureResponse(failure.Reason, failure.Code, failure.Message) : null);
}
