using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>The rejections of the queue.</summary>
internal static class QueueRejections
{
    public static Rejection NotWaiting() => new(SessionErrors.NotFound, "No session with this id waits for PDI.");

    public static Rejection Full() => new(QueueErrors.Full, "The queue for PDI is full.")
    {
        RetryAfter = PdiUnavailableException.DefaultRetryAfter,
    };

    public static Rejection InvalidState(Session session, string detail) => new(SessionErrors.InvalidState, detail)
    {
        SessionId = SessionId.Format(session.Id),
        CurrentStatus = session.Status.ToText(),
        CurrentVersion = session.Version,
    };
}
