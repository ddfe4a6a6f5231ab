using System.Data.Common;
using LoyaltyService.Observability;
using LoyaltyService.Queue;
using LoyaltyService.Storage;

namespace LoyaltyService.Health;

/// <summary>
/// Samples the database, Redis and the queue in the background, so that no probe or scrape waits for them. The first sample completes before the
/// service listens.
/// </summary>
internal sealed partial class HealthSampler(
    DatabaseProbe database, RedisProbe redis, IPdiWorkStore work, HealthLimits limits, TimeProvider clock, ILogger<HealthSampler> logger)
    : BackgroundService
{
    private static readonly TimeSpan StopWithin = TimeSpan.FromMilliseconds(250);

    private HealthSample last = HealthSample.Unknown;

    public HealthSample Last => Volatile.Read(ref last);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await SampleAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>One sample; completes within twice the timeout of a check.</summary>
    internal async Task SampleAsync(CancellationToken cancellationToken)
    {
        var redisCheck = CheckAsync(redis.LookAsync, cancellationToken);
        var databaseCheck = await CheckAsync(database.LookAsync, cancellationToken);
        var before = Last;
        var sample = new HealthSample
        {
            Database = databaseCheck,
            Redis = await redisCheck,
            Pool = database.Connections(),
            RedisConnections = redis.Connections(),
            Queue = databaseCheck.Status is CheckStatus.Up ? await CountAsync(before.Queue, cancellationToken) : before.Queue,
        };
        Volatile.Write(ref last, sample);
        // Without its database a replica cannot serve; without Redis it is slower.
        Tell("database", before.Database, sample.Database, before, sample.Database.Status is CheckStatus.Down ? LogLevel.Critical : LogLevel.Error);
        Tell("redis", before.Redis, sample.Redis, before, LogLevel.Error);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(limits.SampleEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await TrySampleAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service is stopping.
        }
    }

    private async Task TrySampleAsync(CancellationToken stoppingToken)
    {
        try
        {
            await SampleAsync(stoppingToken);
        }
        catch (Exception defect) when (!stoppingToken.IsCancellationRequested)
        {
            // A failed sample must not end the sampling.
            Log.LookBroke(logger, defect);
        }
    }

    private async Task<Check> CheckAsync(Func<CancellationToken, Task<CheckStatus>> look, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        try
        {
            var status = await BoundAsync(look, cancellationToken);
            return new Check(status, clock.GetElapsedTime(started));
        }
        catch (Exception late) when (late is TimeoutException || (late is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new Check(CheckStatus.Down, clock.GetElapsedTime(started));
        }
    }

    private async Task<PdiWorkCounts> CountAsync(PdiWorkCounts before, CancellationToken cancellationToken)
    {
        try
        {
            return await BoundAsync(work.CountAsync, cancellationToken);
        }
        catch (Exception missed) when (missed is DatabaseUnavailableException or OverloadedException or DbException or TimeoutException
            || (missed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The next sample retries; the database check reports the error.
            return before;
        }
    }

    /// <summary>Abandons a check that ignores its cancellation.</summary>
    private Task<T> BoundAsync<T>(Func<CancellationToken, Task<T>> look, CancellationToken cancellationToken) =>
        StoppedAsync(look, cancellationToken).WaitAsync(limits.CheckTimeout + StopWithin, clock, cancellationToken);

    // The abandoned check keeps its cancellation source: disposing it would wait for PostgreSQL, possibly for ever.
    private async Task<T> StoppedAsync<T>(Func<CancellationToken, Task<T>> look, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limits.CheckTimeout, clock);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        return await look(bound.Token);
    }

    private void Tell(string dependency, Check before, Check now, HealthSample sampleBefore, LogLevel ifLost)
    {
        if (before.Status == now.Status || (sampleBefore == HealthSample.Unknown && now.Status is CheckStatus.Up))
            return;
        if (now.Status is CheckStatus.Up)
            Log.DependencyRecovered(logger, dependency);
        else
            Log.DependencyLost(logger, ifLost, dependency, now.Status);
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "DependencyLost", Message = "The {dependency} is {status}")]
        public static partial void DependencyLost(ILogger logger, LogLevel level, string dependency, CheckStatus status);

        [LoggerMessage(EventName = "DependencyRecovered", Level = LogLevel.Information, Message = "The {dependency} is up")]
        public static partial void DependencyRecovered(ILogger logger, string dependency);

        [LoggerMessage(EventName = "HealthLookBroke", Level = LogLevel.Error, Message = "Defect while looking at what the service depends on")]
        public static partial void LookBroke(ILogger logger, Exception exception);
    }
}
