namespace LoyaltyService.Http;

/// <summary>
/// A failure that callers see with a stable code. The family is small and closed; rejections are values (<see cref="Rejection"/>), not exceptions. One
/// handler, <see cref="ProblemExceptionHandler"/>, turns it into the response.
/// </summary>
internal abstract class LoyaltyException(ErrorCode code, string message, TimeSpan retryAfter, Exception? inner = null)
    : Exception(message, inner)
{
    public ErrorCode Code { get; } = code;

    /// <summary>How long a caller should wait before the next try.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
