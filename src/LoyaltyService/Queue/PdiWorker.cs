using System.Diagnostics;
using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;

namespace LoyaltyService.Queue;

/// <summary>
/// Settles the sessions that wait for PDI (<see cref="SettleSession"/>). Each replica runs one worker; the workers share the rows by lease. If a
/// replica crashes or stalls, another takes over its items, checks PDI's record, and sends the rest again under the same key.
/// <para>
/// While the breaker is open the worker claims nothing, so an outage costs no attempts. The breaker's probe is one item. When the breaker
/// closes, every waiting item is due at once and drained with bounded concurrency. A free slot is filled at once, so an item at which
/// PDI hangs delays no other.
/// </para>
/// </summary>
internal sealed partial class PdiWorker(
    IPdiWorkStore work,
    SettleSession settle,
    PdiWorkFailures failures,
    ConsecutiveFailureBreaker breaker,
    PdiWorkLimits limits,
    TimeProvider clock,
    ILogger<PdiWorker> logger) : BackgroundService
{
    // No maximum: two concurrent wake-ups cost one extra query, not an exception in the caller.
    private readonly SemaphoreSlim wake = new(0);
    private int pdiIsBack;
    private int inWork;

    /// <summary>Looks for due items now instead of at the next poll.</summary>
    public void Wake()
    {
        if (wake.CurrentCount == 0)
            wake.Release();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var works = new List<Task>();
        breaker.Closed += OnBreakerClosed;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                works.RemoveAll(static work => work.IsCompleted);
                works.AddRange((await ClaimAsync(stoppingToken)).Select(WorkOnAsync));
                await SleepAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The replica stops. Another one takes what is not claimed.
        }
        finally
        {
            breaker.Closed -= OnBreakerClosed;
        }

        // The host waits for the claimed items, also when the replica stops.
        await Task.WhenAll(works);
    }

    /// <summary>Claims due items, at most as many as there are free slots: the lease covers one item's calls, not a wait for a slot.</summary>
    private async Task<IReadOnlyList<PdiWorkItem>> ClaimAsync(CancellationToken cancellationToken)
    {
        try
        {
            await HurryAsync(cancellationToken);
            if (breaker.Wait > TimeSpan.Zero)
                return [];

            var places = breaker.State is BreakerState.Closed ? limits.Concurrency : 1;
            var free = places - Volatile.Read(ref inWork);
            return free > 0 ? await work.ClaimAsync(free, limits.Lease, cancellationToken) : [];
        }
        catch (Exception failed) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailure(failed);
            return [];
        }
    }

    private async Task HurryAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref pdiIsBack, 0) == 0)
            return;
        var isDone = false;
        try
        {
            await work.HurryAsync(cancellationToken);
            isDone = true;
        }
        finally
        {
            // The breaker closes once. Try again if the database was down at that moment.
            if (!isDone)
                Volatile.Write(ref pdiIsBack, 1);
        }
    }

    private async Task WorkOnAsync(PdiWorkItem item)
    {
        using var step = Tracing.StartWork("pdi-work");
        Interlocked.Increment(ref inWork);
        try
        {
            await TryItemAsync(item, step);
        }
        catch (Exception failed)
        {
            // The item is retried when its lease ends. Other items and the host go on.
            LogFailure(failed);
        }
        finally
        {
            // Free the slot before waking the loop.
            Interlocked.Decrement(ref inWork);
            Wake();
        }
    }

    private async Task TryItemAsync(PdiWorkItem item, Activity step)
    {
        try
        {
            Failpoint.Hit("worker.claimed");
            await settle.RunAsync(item.SessionId, step);
            // A settling change has deleted the row already. This is for a session that owed nothing.
            await work.RemoveAsync(item, CancellationToken.None);
        }
        catch (PdiUnavailableException outstanding)
        {
            await PutBackAsync(item, outstanding);
        }
        catch (PdiAuthenticationException outstanding)
        {
            await PutBackAsync(item, outstanding);
        }
        catch (Exception defect) when (defect is not (DatabaseUnavailableException or OverloadedException))
        {
            // One broken item must not starve the others. It is counted, logged, and finally parked.
            Log.ItemFailed(logger, SessionId.Format(item.SessionId), defect);
            await PutBackAsync(item, defect);
        }
    }

    private void LogFailure(Exception failed)
    {
        if (failed is DatabaseUnavailableException or OverloadedException)
            Log.RoundFailed(logger, failed.Message);
        else
            Log.RoundBroke(logger, failed);
    }

    private async Task PutBackAsync(PdiWorkItem item, Exception reason)
    {
        Activity.Current?.SetStatus(ActivityStatusCode.Error, reason.Message);
        var (counts, park, pause) = failures.Judge(item, reason);
        if (!await work.PutBackAsync(item, pause, ErrorText.Of(reason), counts, park, CancellationToken.None))
            Log.ItemTakenOver(logger, SessionId.Format(item.SessionId), reason.Message);
        else if (park)
            Log.ItemParked(logger, SessionId.Format(item.SessionId), item.Attempts, item.Age.TotalHours, reason.Message);
    }

    private void OnBreakerClosed()
    {
        Volatile.Write(ref pdiIsBack, 1);
        Wake();
    }

    private async Task SleepAsync(CancellationToken cancellationToken)
    {
        using var slept = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pause = Task.Delay(limits.Poll, clock, slept.Token);
        await Task.WhenAny(pause, wake.WaitAsync(slept.Token));
        await slept.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "WorkRoundFailed", Level = LogLevel.Warning, Message = "The worker could not use the database: {reason}")]
        public static partial void RoundFailed(ILogger logger, string reason);

        [LoggerMessage(EventName = "WorkRoundBroke", Level = LogLevel.Error, Message = "Worker iteration failed; continuing")]
        public static partial void RoundBroke(ILogger logger, Exception exception);

        [LoggerMessage(EventName = "WorkItemFailed", Level = LogLevel.Error, Message = "Defect while working on {sessionId}")]
        public static partial void ItemFailed(ILogger logger, string sessionId, Exception exception);

        [LoggerMessage(EventName = "WorkItemParked", Level = LogLevel.Error, Message = "Parked for an operator: {sessionId} after {attempts} attempts and {hours} h: {reason}")]
        public static partial void ItemParked(ILogger logger, string sessionId, int attempts, double hours, string reason);

        [LoggerMessage(EventName = "WorkItemTakenOver", Level = LogLevel.Warning, Message = "Lease on {sessionId} expired; another worker took the item over or settled it. {reason}")]
        public static partial void ItemTakenOver(ILogger logger, string sessionId, string reason);
    }
}
