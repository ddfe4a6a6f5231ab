using LoyaltyService.Http;

namespace LoyaltyService.Pdi;

/// <summary>
/// PDI was not called, or gave no clean answer: timeout, connection error, 408, 429, 5xx, or a body that breaks the contract.
/// </summary>
/// <param name="mayHaveReached">PDI may have carried out the call; only <c>getSessionStatus</c> can tell.</param>
internal sealed class PdiUnavailableException(string message, bool mayHaveReached, TimeSpan? retryAfter = null, Exception? inner = null)
    : LoyaltyException(PdiErrors.Unavailable, message, retryAfter ?? DefaultRetryAfter, inner)
{
    /// <summary>PDI's <c>Retry-After</c>; null if it sent none.</summary>
    public TimeSpan? AskedToWait { get; } = retryAfter;

    /// <summary>PDI works but is overloaded (429). The breaker does not count it.</summary>
    public bool IsThrottled { get; init; }

    /// <summary>The breaker is open: PDI was not called, and an immediate retry is useless.</summary>
    public bool IsRefusedByBreaker { get; init; }

    /// <summary>The worker's shortest pause (brief: 5–30 s).</summary>
    public static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(5);

    public bool MayHaveReached { get; } = mayHaveReached;

    /// <summary>The call: one of <see cref="PdiOperations"/>; null if there was none.</summary>
    public string? Operation { get; set; }

    public PdiUnavailableException AfterOneThatMayHaveReached() =>
        new(Message, mayHaveReached: true, AskedToWait, this) { IsThrottled = IsThrottled, IsRefusedByBreaker = IsRefusedByBreaker, Operation = Operation };
}

/// <summary>PDI rejects the service's credentials, or issues no token. An operator must act.</summary>
internal sealed class PdiAuthenticationException(string message, Exception? inner = null)
    : LoyaltyException(PdiErrors.AuthFailed, message, TimeSpan.FromSeconds(5), inner);
