using LoyaltyService.Queue;

namespace LoyaltyService.Health;

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

/// <summary>How often and how long is looked.</summary>
internal sealed class HealthLimits
{
    /// <summary>A probe comes every 10 s (brief), so that what it reads is fresh, and two statements every 2 s are nothing to the database.</summary>
    public TimeSpan SampleEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What does not answer within a second cannot serve a till.</summary>
    public TimeSpan CheckTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
