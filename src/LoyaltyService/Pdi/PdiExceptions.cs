using LoyaltyService.Http;

namespace LoyaltyService.Pdi;

/// <summary>
/// PDI could not be asked, or gave no clean answer: timeout, connection error, 408, 429, 5xx, or a body that is not the contract.
/// </summary>
/// <param name="mayHaveReached">PDI may have done what it was asked to; only <c>getSessionStatus</c> can tell.</param>
internal sealed class PdiUnavailableException(string message, bool mayHaveReached, TimeSpan? retryAfter = null, Exception? inner = null)
    : LoyaltyException(PdiErrors.Unavailable, message, retryAfter ?? DefaultRetryAfter, inner)
{
    /// <summary>How long PDI itself asked to be left alone; null where it did not.</summary>
    public TimeSpan? AskedToWait { get; } = retryAfter;

    /// <summary>PDI works but has too much to do (429): no sign of a defect, so the breaker does not count it.</summary>
    public bool IsThrottled { get; init; }

    /// <summary>The breaker is open: PDI was not asked, and asking again at once would not help.</summary>
    public bool IsRefusedByBreaker { get; init; }

    /// <summary>The shortest of the worker's own intervals (brief: 5–30 s).</summary>
    public static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(5);

    public bool MayHaveReached { get; } = mayHaveReached;

    /// <summary>What PDI was to do: one of <see cref="PdiOperations"/>; null where it was not asked at all.</summary>
    public string? Operation { get; set; }

    public PdiUnavailableException AfterOneThatMayHaveReached() =>
        new(Message, mayHaveReached: true, AskedToWait, this) { IsThrottled = IsThrottled, IsRefusedByBreaker = IsRefusedByBreaker, Operation = Operation };
}

/// <summary>PDI refuses the service's credentials, or gives no token. An operator has to act.</summary>
internal sealed class PdiAuthenticationException(string message, Exception? inner = null)
    : LoyaltyException(PdiErrors.AuthFailed, message, TimeSpan.FromSeconds(5), inner);
