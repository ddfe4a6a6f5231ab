using System.Text.Json.Nodes;
using LoyaltyService.Http;

namespace LoyaltyService.OpenApi;

/// <summary>One problem for each code, as the service would write it.</summary>
internal static class ProblemExamples
{
    public const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    private const string SessionId = "sess_abc123";

    public static JsonNode Of(ErrorCode error) => Examples.Write((RejectionOf(error) with { TraceId = TraceId }).ToProblem());

    private static Rejection RejectionOf(ErrorCode error) => error switch
    {
        ErrorCode.ValidationFailed => Rejection.Validation("transactionId", "is required."),
        ErrorCode.TransactionMismatch => AboutSession(error, "The session belongs to another transaction."),
        ErrorCode.PdiRejected => AboutSession(error, "PDI says: The customer is not known.") with { PdiCode = "INVALID_CUSTOMER" },
        ErrorCode.Unauthenticated => new(error, "The request has no valid key and no valid token."),
        ErrorCode.Forbidden => new(error, "The caller does not have the scope of this route."),
        ErrorCode.SessionNotFound => new(error, "No session of yours has this id."),
        ErrorCode.InvalidState => Conflict(error, "A session that is failed cannot be finalized.", "failed"),
        ErrorCode.VersionConflict or ErrorCode.PreconditionFailed =>
            Conflict(error, "The request is about version 2; the session has version 3.", "pending_finalization"),
        ErrorCode.OperationInProgress => Conflict(error, "The session is being finalized with another body.", "finalizing"),
        ErrorCode.BodyTooLarge => new(error, "The body has more than 64 KiB."),
        ErrorCode.UnsupportedMediaType => new(error, "The content type is \"text/plain\"."),
        ErrorCode.IdempotencyKeyReused => new(error, "The transaction TXN-67890 of channel POS-001 was sent before with another body."),
        ErrorCode.InternalError => new(error, "Something unexpected happened."),
        // The title says it all.
        _ => new(error, error.Describe().Title),
    };

    private static Rejection AboutSession(ErrorCode error, string detail) => new(error, detail) { SessionId = SessionId };

    private static Rejection Conflict(ErrorCode error, string detail, string status) =>
        AboutSession(error, detail) with { CurrentStatus = status, CurrentVersion = 3 };
}
