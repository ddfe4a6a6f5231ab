namespace LoyaltyService.Http;

/// <summary>
/// A breakage that a caller is told about with a stable code. The family is small and closed; refusals are values
/// (<see cref="Rejection"/>), not exceptions. One handler, <see cref="ProblemExceptionHandler"/>, turns it into the answer.
/// </summary>
internal abstract class LoyaltyException(ErrorCode code, string message, TimeSpan retryAfter, Exception? inner = null)
    : Exception(message, inner)
{
    public ErrorCode Code { get; } = code;

    /// <summary>How long a caller should wait before the next try.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
