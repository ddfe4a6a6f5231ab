using System.Data.Common;
using LoyaltyService.Observability;
using LoyaltyService.Queue;
using LoyaltyService.Storage;

namespace LoyaltyService.Health;

/// <summary>
/// Looks at the database, Redis and the queue in the background, so that neither a probe nor a scrape ever waits for one of them: they
/// read what was seen last. The first look is over before the service listens.
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

    /// <summary>One look; over within twice the bound of a check.</summary>
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
        // Without its database a replica serves nobody; without Redis it is slower.
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
            // The service stops; nobody is told anything any more.
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
            // What looks after the service's health must not end it.
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
            // The next look will tell; the check of the database says what is wrong.
            return before;
        }
    }

    /// <summary>A look that does not stop when it is told to is left behind.</summary>
    private Task<T> BoundAsync<T>(Func<CancellationToken, Task<T>> look, CancellationToken cancellationToken) =>
        StoppedAsync(look, cancellationToken).WaitAsync(limits.CheckTimeout + StopWithin, clock, cancellationToken);

    // What tells the look to stop is left behind with it: to let go of it is to wait until PostgreSQL has heard, which may be never.
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
