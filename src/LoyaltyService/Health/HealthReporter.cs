using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;

namespace LoyaltyService.Health;

/// <param name="Status"><c>healthy</c>: the process works.</param>
/// <param name="Timestamp">The service's time.</param>
/// <param name="Uptime">Seconds since the process started to serve.</param>
/// <param name="Version">The release that answers.</param>
/// <param name="Commit">What it was built from.</param>
internal sealed record HealthReport(string Status, DateTimeOffset Timestamp, long Uptime, string Version, string Commit);

/// <param name="Status"><c>healthy</c>; <c>degraded</c> if something is not as it should be; <c>unhealthy</c> if requests cannot be served.</param>
/// <param name="Timestamp">The service's time.</param>
/// <param name="Uptime">Seconds since the process started to serve.</param>
/// <param name="Checks">What the service depends on, as seen in the last seconds.</param>
internal sealed record DependencyReport(string Status, DateTimeOffset Timestamp, long Uptime, DependencyChecks Checks);

/// <param name="Database">Without it nothing can be served.</param>
/// <param name="Redis">Without it repeats are answered by the database.</param>
/// <param name="Pdi">Without it sales are taken and finished later.</param>
internal sealed record DependencyChecks(CheckReport Database, CheckReport Redis, PdiCheckReport Pdi);

/// <param name="Status"><c>up</c>, <c>degraded</c> or <c>down</c>.</param>
/// <param name="Latency">Milliseconds that the last look took.</param>
internal sealed record CheckReport(string Status, long Latency);

/// <param name="Status"><c>up</c>; <c>degraded</c> if the last request failed or the breaker lets a probe through; <c>down</c> while it is open.</param>
/// <param name="CircuitBreaker"><c>CLOSED</c>, <c>HALF_OPEN</c> or <c>OPEN</c>.</param>
/// <param name="Latency">Milliseconds that the last request to PDI took; 0 before the first one.</param>
internal sealed record PdiCheckReport(string Status, string CircuitBreaker, long Latency);

/// <summary>The service's health as the probes report it, from the last sample.</summary>
internal sealed class HealthReporter(HealthSampler sampler, PdiHealth pdi, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    public const string Healthy = "healthy";
    public const string Degraded = "degraded";
    public const string Unhealthy = "unhealthy";

    private readonly long started = clock.GetTimestamp();

    /// <summary>The database is usable, and the process is not stopping.</summary>
    public bool IsReady => sampler.Last.Database.Status is not CheckStatus.Down && !lifetime.ApplicationStopping.IsCancellationRequested;

    public HealthReport OfProcess() => new(Healthy, clock.GetUtcNow(), Uptime(), Release.Version, Release.Commit);

    public DependencyReport OfDependencies()
    {
        var sample = sampler.Last;
        var pdiCheck = pdi.Look();
        var isWhole = sample.Database.Status is CheckStatus.Up && sample.Redis.Status is CheckStatus.Up && pdiCheck.Status is CheckStatus.Up;
        return new DependencyReport(
            !IsReady ? Unhealthy : isWhole ? Healthy : Degraded,
            clock.GetUtcNow(),
            Uptime(),
            new DependencyChecks(
                Report(sample.Database),
                Report(sample.Redis),
                new PdiCheckReport(ToText(pdiCheck.Status), ToText(pdi.Breaker), (long)pdiCheck.Latency.TotalMilliseconds)));
    }

    public static string ToText(CheckStatus status) => status switch
    {
        CheckStatus.Up => "up",
        CheckStatus.Degraded => "degraded",
        _ => "down",
    };

    public static string ToText(BreakerState state) => state switch
    {
        BreakerState.Closed => "CLOSED",
        BreakerState.HalfOpen => "HALF_OPEN",
        _ => "OPEN",
    };

    private long Uptime() => (long)clock.GetElapsedTime(started).TotalSeconds;

    private static CheckReport Report(Check check) => new(ToText(check.Status), (long)check.Latency.TotalMilliseconds);
}
