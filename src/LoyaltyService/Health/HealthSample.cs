using LoyaltyService.Observability;
using LoyaltyService.Queue;

namespace LoyaltyService.Health;

/// <summary>One sample of all dependencies.</summary>
internal sealed record HealthSample
{
    /// <summary>Before the first sample: not ready.</summary>
    public static readonly HealthSample Unknown = new();

    public Check Database { get; init; } = new(CheckStatus.Down, TimeSpan.Zero);

    public Check Redis { get; init; } = new(CheckStatus.Down, TimeSpan.Zero);

    /// <summary>Connections to PostgreSQL.</summary>
    public (long Idle, long Used) Pool { get; init; }

    public int RedisConnections { get; init; }

    /// <summary>The last known counts: while the database is down they are unknown, not zero.</summary>
    public PdiWorkCounts Queue { get; init; } = new(0, 0, TimeSpan.Zero);
}
