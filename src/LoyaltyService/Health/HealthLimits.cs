namespace LoyaltyService.Health;

/// <summary>How often and how long is looked.</summary>
internal sealed class HealthLimits
{
    /// <summary>A probe comes every 10 s (brief), so that what it reads is fresh, and two statements every 2 s are nothing to the database.</summary>
    public TimeSpan SampleEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What does not answer within a second cannot serve a till.</summary>
    public TimeSpan CheckTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
