using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using LoyaltyService.Observability;
using LoyaltyService.RateLimits;

namespace LoyaltyService.Benchmarks;

/// <summary>What every request pays besides its own work.</summary>
public partial class RequestBenchmarks
{
    private readonly RateLimiter limiter = new(redis: null, new LocalBuckets(replicas: null, TimeProvider.System), new RateLimitMetrics(new Meter("bench")));
    private readonly Demand[] demands =
    [
        new(new BucketKey(LimitKind.Global, Guid.Empty), new RateLimit(LimitKind.Global, 1_000_000_000, TimeSpan.FromSeconds(1))),
        new(new BucketKey(LimitKind.Customer, Guid.NewGuid()), new RateLimit(LimitKind.Customer, 1_000_000_000, TimeSpan.FromSeconds(1))),
        new(new BucketKey(LimitKind.Address, Guid.NewGuid()), new RateLimit(LimitKind.Address, 1_000_000_000, TimeSpan.FromSeconds(1))),
    ];

    private readonly LogQueue queue = new(new LogOutput(Stream.Null));
    private JsonLogProvider provider = null!;
    private ILogger logger = null!;

    [GlobalSetup]
    public void Open()
    {
        provider = new JsonLogProvider(queue, new LogLevelSwitch(LogLevel.Information), TimeProvider.System);
        logger = provider.CreateLogger("LoyaltyService.Loyalty.LoyaltyController");
    }

    [GlobalCleanup]
    public void Close() => provider.Dispose();

    [Benchmark(Description = "log line of an operation")]
    public void LogLine() => Log.OperationEnded(
        logger, LogLevel.Information, "Session finalized successfully", "finalize", "ok", "sess_0123456789abcdef0123456789abcdef", "CUST-12345", 12, 450, 0, null, null, null);

    [Benchmark(Description = "rate limits, three buckets, in process")]
    public ValueTask<bool> RateLimitsAsync()
    {
        var decision = limiter.DecideAsync(demands);
        return new(decision.IsCompletedSuccessfully);
    }

    /// <summary>The line that ends each business operation, as <c>Operations</c> writes it.</summary>
    private static partial class Log
    {
        [LoggerMessage(EventName = "OperationEnded", Message = "Operation ended")]
        public static partial void OperationEnded(
            ILogger logger, LogLevel level, string message, string operation, string outcome, string? sessionId, string? customerId, long duration,
            long? earnedPoints, long? redeemedPoints, string? reason, string? cause, Exception? exception);
    }
}
