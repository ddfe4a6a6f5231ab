using System.Diagnostics;
using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;

namespace LoyaltyService.Queue;

/// <summary>
/// Has the sessions that wait for PDI settled (<see cref="SettleSession"/>). Every replica runs one worker; they share the rows by lease. Whatever a replica leaves undone, by dying or by being away too long, another takes over,
/// asks PDI what it has done already, and sends the rest again under the same key.
/// <para>
/// While the breaker is open nothing is claimed, so that an outage costs no attempts; when it is time for a probe, one item is the
/// probe. When the breaker closes, everything that waits is due at once, and is drained with bounded concurrency. A place that comes free
/// is taken at once: an item at which PDI hangs holds up none but itself.
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
    // Without a maximum: two that wake it at the same moment cost one more look, not an exception in the caller.
    private readonly SemaphoreSlim wake = new(0);
    private int pdiIsBack;
    private int inWork;

    /// <summary>Something is due: looks at once instead of at the next poll.</summary>
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
            // The replica stops; what it has not claimed waits for another one.
        }
        finally
        {
            breaker.Closed -= OnBreakerClosed;
        }

        // What is claimed is brought to its end, also when the replica stops: the host waits for it.
        await Task.WhenAll(works);
    }

    /// <summary>Claims what is due, but no more than are worked on at once: the lease is for one item's calls, not for waiting in line.</summary>
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
            TellRoundFailed(failed);
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
            // PDI's return is told once, and what waits for it must not wait longer because the database was away at that moment.
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
            // The item's lease runs out, and it is tried again. Neither the other items nor the host end with it.
            TellRoundFailed(failed);
        }
        finally
        {
            // Its place is free, and who is woken sees that it is.
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
            // A change that settles the session takes its row along; this is for a session that had nothing left to do.
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
            // One item that cannot be worked on must not starve the others. It is counted, seen, and parked in the end.
            Log.ItemFailed(logger, SessionId.Format(item.SessionId), defect);
            await PutBackAsync(item, defect);
        }
    }

    private void TellRoundFailed(Exception failed)
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

        [LoggerMessage(EventName = "WorkRoundBroke", Level = LogLevel.Error, Message = "Defect in a round of the worker, which goes on with the next one")]
        public static partial void RoundBroke(ILogger logger, Exception exception);

        [LoggerMessage(EventName = "WorkItemFailed", Level = LogLevel.Error, Message = "Defect while working on {sessionId}")]
        public static partial void ItemFailed(ILogger logger, string sessionId, Exception exception);

        [LoggerMessage(EventName = "WorkItemParked", Level = LogLevel.Error, Message = "Parked for an operator: {sessionId} after {attempts} attempts and {hours} h: {reason}")]
        public static partial void ItemParked(ILogger logger, string sessionId, int attempts, double hours, string reason);

        [LoggerMessage(EventName = "WorkItemTakenOver", Level = LogLevel.Warning, Message = "The work on {sessionId} has been taken over or settled by another: the lease had run out. {reason}")]
        public static partial void ItemTakenOver(ILogger logger, string sessionId, string reason);
    }
}
