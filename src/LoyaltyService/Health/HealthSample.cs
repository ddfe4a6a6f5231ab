using LoyaltyService.Observability;
using LoyaltyService.Queue;

namespace LoyaltyService.Health;

/// <summary>What one look at the dependencies has found.</summary>
internal sealed record HealthSample
{
    /// <summary>Before the first look nothing is known, and so nothing is promised.</summary>
    public static readonly HealthSample Unknown = new();

    public Check Database { get; init; } = new(CheckStatus.Down, TimeSpan.Zero);

    public Check Redis { get; init; } = new(CheckStatus.Down, TimeSpan.Zero);

    /// <summary>Connections to PostgreSQL.</summary>
    public (long Idle, long Used) Pool { get; init; }

    public int RedisConnections { get; init; }

    /// <summary>As last seen: while the database is down it is not zero but unknown.</summary>
    public PdiWorkCounts Queue { get; init; } = new(0, 0, TimeSpan.Zero);
}
