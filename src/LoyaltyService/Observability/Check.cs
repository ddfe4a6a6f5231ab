namespace LoyaltyService.Observability;

internal enum CheckStatus
{
    Up,

    /// <summary>Usable, but impaired.</summary>
    Degraded,
    Down,
}

/// <param name="Status">Whether the dependency is usable.</param>
/// <param name="Latency">The duration of the check, or its timeout.</param>
internal sealed record Check(CheckStatus Status, TimeSpan Latency);
