namespace LoyaltyService.Health;

/// <summary>How often the dependencies are sampled, and how long a check may take.</summary>
internal sealed class HealthLimits
{
    /// <summary>A probe comes every 10 s (brief), so its sample is fresh, and two statements every 2 s cost the database nothing.</summary>
    public TimeSpan SampleEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A dependency that needs more than a second cannot serve a till.</summary>
    public TimeSpan CheckTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
