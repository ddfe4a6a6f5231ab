
namespace LoyaltyService.Http;

/// <summary>What can go wrong on any route.</summary>
internal static class HttpErrors
{
    public static readonly ErrorCode ValidationFailed = new(
        "validation_failed", 400, "The request is not valid.", "Correct the fields listed in `errors` and send it again.");

    public static readonly ErrorCode Unauthenticated = new(
        "unauthenticated", 401, "The caller is not known.", "Send a valid key in `X-Api-Key`, or a valid bearer token.")
    {
        IsCommon = true,
    };

    public static readonly ErrorCode Forbidden = new(
        "forbidden", 403, "The caller may not do this.", "Use a key or a token that has the scope of the route.")
    {
        IsCommon = true,
    };

    public static readonly ErrorCode NotFound = new(
        "not_found", 404, "There is nothing here.", "Check the path against the API reference.");

    public static readonly ErrorCode MethodNotAllowed = new(
        "method_not_allowed", 405, "The route does not know this method.", "Use a method listed in the `Allow` header.");

    public static readonly ErrorCode OperationInProgress = new(
        "operation_in_progress", 409, "The operation is still running.", "Send the same request again after `Retry-After` seconds.");

    public static readonly ErrorCode BodyTooLarge = new(
        "body_too_large", 413, "The body is too large.", "Send at most 64 KiB.");

    public static readonly ErrorCode UnsupportedMediaType = new(
        "unsupported_media_type", 415, "The body is not JSON.", "Send `Content-Type: application/json` in UTF-8.");

    public static readonly ErrorCode RateLimited = new(
        "rate_limited", 429, "Too many requests.", "Wait `Retry-After` seconds.")
    {
        IsCommon = true,
    };

    public static readonly ErrorCode InternalError = new(
        "internal_error", 500, "The service has a defect.", "Report the `traceId`; the same request is safe to repeat.")
    {
        IsCommon = true,
    };

    public static readonly ErrorCode Overloaded = new(
        "overloaded", 503, "The service has more work than it can take.", "Repeat the same request after `Retry-After` seconds.")
    {
        IsCommon = true,
    };

    public static IReadOnlyList<ErrorCode> All => [ValidationFailed, Unauthenticated, Forbidden, NotFound, MethodNotAllowed, OperationInProgress, BodyTooLarge, UnsupportedMediaType, RateLimited, InternalError, Overloaded];
}
