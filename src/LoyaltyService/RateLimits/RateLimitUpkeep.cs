namespace LoyaltyService.RateLimits;

/// <summary>Counts the replicas and forgets idle buckets, for as long as the service runs; the first count is over before it listens.</summary>
internal sealed class RateLimitUpkeep(RateLimiter limiter, Replicas replicas, TimeProvider clock) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await replicas.CountAsync();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Replicas.Beat, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await replicas.CountAsync();
                limiter.Sweep();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }
}
