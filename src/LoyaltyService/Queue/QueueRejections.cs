using LoyaltyService.Http;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>What operators are refused.</summary>
internal static class QueueRejections
{
    public static Rejection NotWaiting() => new(ErrorCode.SessionNotFound, "No session with this id waits for PDI.");

    public static Rejection InvalidState(Session session, string detail) => new(ErrorCode.InvalidState, detail)
    {
        SessionId = SessionId.Format(session.Id),
        CurrentStatus = session.Status.ToText(),
        CurrentVersion = session.Version,
    };
}
