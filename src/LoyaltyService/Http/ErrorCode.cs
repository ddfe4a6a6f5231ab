namespace LoyaltyService.Http;

/// <summary>Everything that can go wrong for a caller. The codes are stable: tills decide by them.</summary>
internal enum ErrorCode
{
    ValidationFailed,
    TransactionMismatch,
    PdiRejected,
    Unauthenticated,
    Forbidden,
    SessionNotFound,
    NotFound,
    MethodNotAllowed,
    InvalidState,
    VersionConflict,
    PreconditionFailed,
    OperationInProgress,
    BodyTooLarge,
    UnsupportedMediaType,
    IdempotencyKeyReused,
    RateLimited,
    InternalError,
    PdiUnavailable,
    PdiAuthFailed,
    QueueFull,
    AuthorityUnavailable,
    DatabaseUnavailable,
    Overloaded,
}

/// <param name="Code">As it stands in <c>code</c>.</param>
/// <param name="Status">The HTTP status that goes with it.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Advice">What the caller should do.</param>
internal sealed record ErrorDescription(ErrorCode Error, string Code, int Status, string Title, string Advice);

/// <summary>The table of errors: the code, OpenAPI and docs/errors.md say the same because they read it here.</summary>
internal static class Errors
{
    public static IReadOnlyList<ErrorDescription> All { get; } =
    [
        new(ErrorCode.ValidationFailed, "validation_failed", 400, "The request is not valid.", "Correct the fields listed in `errors` and send it again."),
        new(ErrorCode.TransactionMismatch, "transaction_mismatch", 400, "The transaction is not the session's.", "Send the `transactionId` that the session was identified with."),
        new(ErrorCode.PdiRejected, "pdi_rejected", 400, "PDI refused the operation.", "Read `pdiCode`; a corrected request is welcome, the same one will be refused again."),
        new(ErrorCode.Unauthenticated, "unauthenticated", 401, "The caller is not known.", "Send a valid key in `X-Api-Key`, or a valid bearer token."),
        new(ErrorCode.Forbidden, "forbidden", 403, "The caller may not do this.", "Use a key or a token that has the scope of the route."),
        new(ErrorCode.SessionNotFound, "session_not_found", 404, "There is no such session.", "Check the `sessionId`; identify again if the sale has no session."),
        new(ErrorCode.NotFound, "not_found", 404, "There is nothing here.", "Check the path against the API reference."),
        new(ErrorCode.MethodNotAllowed, "method_not_allowed", 405, "The route does not know this method.", "Use a method listed in the `Allow` header."),
        new(ErrorCode.InvalidState, "invalid_state", 409, "The session's status does not allow this.", "Read `currentStatus`; ask for the session to see where it stands."),
        new(ErrorCode.VersionConflict, "version_conflict", 409, "The session has moved on.", "Ask for the session, decide again, and send its `currentVersion`."),
        new(ErrorCode.PreconditionFailed, "version_conflict", 412, "The session has moved on.", "Ask for the session, decide again, and send its `currentVersion` in `If-Match`."),
        new(ErrorCode.OperationInProgress, "operation_in_progress", 409, "The operation is still running.", "Send the same request again after `Retry-After` seconds."),
        new(ErrorCode.BodyTooLarge, "body_too_large", 413, "The body is too large.", "Send at most 64 KiB."),
        new(ErrorCode.UnsupportedMediaType, "unsupported_media_type", 415, "The body is not JSON.", "Send `Content-Type: application/json` in UTF-8."),
        new(ErrorCode.IdempotencyKeyReused, "idempotency_key_reused", 422, "The same key was used with another body.", "Send the first body again, or use another transaction or key."),
        new(ErrorCode.RateLimited, "rate_limited", 429, "Too many requests.", "Wait `Retry-After` seconds."),
        new(ErrorCode.InternalError, "internal_error", 500, "The service has a defect.", "Report the `traceId`; the same request is safe to repeat."),
        new(ErrorCode.PdiUnavailable, "pdi_unavailable", 503, "PDI cannot be asked just now.", "Repeat after `Retry-After` seconds, or leave the redemption out."),
        new(ErrorCode.PdiAuthFailed, "pdi_auth_failed", 503, "PDI does not accept the service's credentials.", "Repeat after `Retry-After` seconds; an operator has to act."),
        new(ErrorCode.QueueFull, "queue_full", 503, "Too many sales wait for PDI.", "Repeat after `Retry-After` seconds."),
        new(ErrorCode.AuthorityUnavailable, "authority_unavailable", 503, "The token cannot be checked just now.", "Repeat the same request after `Retry-After` seconds; the token may be good."),
        new(ErrorCode.DatabaseUnavailable, "database_unavailable", 503, "The database cannot be used just now.", "Repeat the same request after `Retry-After` seconds."),
        new(ErrorCode.Overloaded, "overloaded", 503, "The service has more work than it can take.", "Repeat the same request after `Retry-After` seconds."),
    ];

    private static readonly ErrorDescription[] ByCode = [.. All.OrderBy(error => error.Error)];

    public static ErrorDescription Describe(this ErrorCode error) => ByCode[(int)error];
}
