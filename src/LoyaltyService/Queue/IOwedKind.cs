using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.Queue;

/// <summary>
/// A call that the service may still owe PDI: one class per kind. <see cref="QueueModule"/> registers the kinds in the order in which a
/// session needs them. The worker, resolve, the reconciliation and the bounds read that list. An item of the queue is a session, so a kind needs
/// no table, listing or replay of its own.
/// </summary>
internal interface IOwedKind
{
    /// <summary>The longest that one attempt takes at PDI. The worker's lease covers the sum of all kinds.</summary>
    TimeSpan Budget { get; }

    /// <summary>The event of the request that asked for the call; null if that request created the session.</summary>
    SessionEvent? AskedBy { get; }

    bool IsOwedBy(Session session);

    /// <summary>Makes the call and stores what PDI's answer means for the session. Safe to repeat, from any replica.</summary>
    /// <returns>The session as stored afterwards.</returns>
    /// <exception cref="PdiUnavailableException">PDI gave no clean answer. The call is still owed.</exception>
    /// <exception cref="PdiAuthenticationException">PDI rejected the service's credentials. The call is still owed.</exception>
    Task<Session> SettleAsync(Session session);

    /// <summary>Asks PDI whether the call has taken effect there.</summary>
    /// <returns>Why an operator must not give up on the session; null if nothing speaks against it.</returns>
    Task<string?> FindEffectAsync(Session session);
}
