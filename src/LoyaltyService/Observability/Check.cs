namespace LoyaltyService.Observability;

internal enum CheckStatus
{
    Up,

    /// <summary>It can be used, but not as it should be.</summary>
    Degraded,
    Down,
}

/// <param name="Status">Whether a dependency can be used.</param>
/// <param name="Latency">How long the look took, or the wait until it was given up.</param>
internal sealed record Check(CheckStatus Status, TimeSpan Latency);
