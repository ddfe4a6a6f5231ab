using LoyaltyService.Http;

namespace LoyaltyService.Sessions;

/// <summary>What can go wrong with a session.</summary>
internal static class SessionErrors
{
    public static readonly ErrorCode NotFound = new(
        "session_not_found", 404, "There is no such session.", "Check the `sessionId`; identify again if the sale has no session.");

    public static readonly ErrorCode InvalidState = new(
        "invalid_state", 409, "The session's status does not allow this.", "Read `currentStatus`; ask for the session to see where it stands.");

    public static readonly ErrorCode VersionConflict = new(
        "version_conflict", 409, "The session has moved on.", "Ask for the session, decide again, and send its `currentVersion`.");

    public static readonly ErrorCode PreconditionFailed = new(
        "version_conflict", 412, "The session has moved on.", "Ask for the session, decide again, and send its `currentVersion` in `If-Match`.");

    public static IReadOnlyList<ErrorCode> All => [NotFound, InvalidState, VersionConflict, PreconditionFailed];
}
