using LoyaltyService.Http;
using LoyaltyService.Pdi;

namespace LoyaltyService.Sessions;

/// <summary>The rejections that several operations share.</summary>
internal static class SessionRejections
{
    private static readonly TimeSpan InProgressRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>The same answer for a missing session and another client's: callers cannot probe for ids.</summary>
    public static Rejection NotFound() => new(SessionErrors.NotFound, "No session of yours has this id.");

    public static Rejection InvalidState(Session session, string operation) =>
        new(SessionErrors.InvalidState, session.IsExpired && session.Status is not (SessionStatus.Finalized or SessionStatus.Failed)
            ? $"The session expired at {session.ExpiresAt:yyyy-MM-dd'T'HH:mm:ss'Z'}."
            : $"A session that is {session.Status.ToText()} cannot be {operation}.")
        {
            SessionId = SessionId.Format(session.Id),
            CurrentStatus = session.Status.ToText(),
            CurrentVersion = session.Version,
        };

    public static Rejection InProgress(Session session, string detail) => new(HttpErrors.OperationInProgress, detail)
    {
        SessionId = SessionId.Format(session.Id),
        CurrentStatus = session.Status.ToText(),
        CurrentVersion = session.Version,
        RetryAfter = InProgressRetryAfter,
    };

    public static Rejection ByPdi(PdiRejection rejection, Session session) => new(PdiErrors.Rejected, $"PDI says: {rejection.Message}")
    {
        PdiCode = rejection.Code,
        SessionId = SessionId.Format(session.Id),
    };

    public static Rejection PdiUnavailable(string detail) => new(PdiErrors.Unavailable, detail)
    {
        RetryAfter = PdiUnavailableException.DefaultRetryAfter,
    };
}
