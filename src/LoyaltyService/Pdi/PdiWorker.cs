using System.Collections.Concurrent;
using System.Diagnostics;
using LoyaltyService.Loyalty;
using LoyaltyService.Observability;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;

namespace LoyaltyService.Pdi;

/// <summary>
/// Drives the sessions that wait for PDI forward: identify what is not identified, then finalize what was asked for. Every replica
/// runs one; they share the rows by lease. Whatever a replica leaves undone, by dying or by being away too long, another takes over,
/// asks PDI what it has done already, and sends the rest again under the same key.
/// <para>
/// While the breaker is open nothing is claimed, so that an outage costs no attempts; when it is time for a probe, one item is the
/// probe. When the breaker closes, everything that waits is due at once, and is drained with bounded concurrency. A place that comes free
/// is taken at once: an item at which PDI hangs holds up none but itself.
/// </para>
/// </summary>
internal sealed partial class PdiWorker(
    IPdiWorkStore work,
    ISessionStore sessions,
    PdiClient pdi,
    FinalizeAtPdi finalizeAtPdi,
    ConsecutiveFailureBreaker breaker,
    PdiHealth health,
    PdiWorkLimits limits,
    TimeProvider clock,
    ILogger<PdiWorker> logger) : BackgroundService
{
    // Without a maximum: two that wake it at the same moment cost one more look, not an exception in the caller.
    private readonly SemaphoreSlim wake = new(0);
    // By what PDI was to do: whose attempt failed last, and when.
    private readonly ConcurrentDictionary<string, (Guid SessionId, long At)> lastFailed = new();
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
            if (await sessions.FindAsync(item.SessionId, CancellationToken.None) is { } session)
            {
                step.LinkTo(step.IsAllDataRequested ? await TraceOfCauseAsync(session) : null, SessionId.Format(session.Id));
                await DriveAsync(session);
            }

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

    private async Task DriveAsync(Session session)
    {
        if (session is { IsIdentified: false, Status: SessionStatus.Pending or SessionStatus.Finalizing })
            session = await IdentifyAsync(session);
        if (session.Status is SessionStatus.Finalizing)
            await FinalizeAsync(session);
    }

    /// <summary>The trace of the request that the session waits for: of the finalize, where there was one.</summary>
    private async Task<string?> TraceOfCauseAsync(Session session) => session.Status is SessionStatus.Finalizing
        ? (await sessions.EventsAsync(session.Id, CancellationToken.None)).Last(line => line.Event == SessionEvent.FinalizeRequested.ToText()).TraceId
        : session.TraceId;

    private async Task FinalizeAsync(Session session)
    {
        var (settled, rejection) = await finalizeAtPdi.RunAsync(session, Causes.Worker, inDoubt: true);
        if (rejection is not null)
            Log.WaitingSaleRejected(logger, SessionId.Format(session.Id), session.CustomerId, rejection.Code);
        else if (settled.Status is SessionStatus.Finalized)
            Log.WaitingSaleFinalized(logger, SessionId.Format(session.Id), session.CustomerId, settled.EarnedPoints, settled.RedeemedPoints);
    }

    private async Task<Session> IdentifyAsync(Session session)
    {
        var result = await pdi.IdentifyAsync(session.ToPdiIdentify(), session.PdiIdentifyKey);
        Failpoint.Hit("worker.identify.answered");
        var change = result.Rejection is { } rejection
            ? session.IdentifyRejected(rejection, Causes.Worker)
            : session.Identified(result.Value!, Causes.Worker);
        change = change with { TraceId = Activity.Current?.TraceId.ToHexString() };
        if (change.After.Status is not SessionStatus.Finalizing)
            change = change with { Work = PdiWorkChange.Settled };
        if (result.Rejection is { } refused)
            Log.WaitingCustomerRejected(logger, SessionId.Format(session.Id), session.CustomerId, session.Status.ToText(), refused.Code);

        return await sessions.SaveAsync(change, CancellationToken.None)
            ?? throw new PdiUnavailableException("The session was changed meanwhile.", mayHaveReached: true);
    }

    private async Task PutBackAsync(PdiWorkItem item, Exception reason)
    {
        Activity.Current?.SetStatus(ActivityStatusCode.Error, reason.Message);
        // An outage, or credentials that PDI refuses, are nobody's fault among those that wait: it takes 24 h until they are parked.
        var counts = reason switch
        {
            PdiAuthenticationException => false,
            PdiUnavailableException failed => breaker.State is BreakerState.Closed && !IsNobodysFault(item, failed.Operation),
            _ => true,
        };
        var park = (counts && item.Attempts >= limits.MaxAttempts) || item.Age >= limits.MaxAge;
        var pause = PauseAfter(item, reason);
        if (!await work.PutBackAsync(item, pause, ErrorText.Of(reason), counts, park, CancellationToken.None))
            Log.ItemTakenOver(logger, SessionId.Format(item.SessionId), reason.Message);
        else if (park)
            Log.ItemParked(logger, SessionId.Format(item.SessionId), item.Attempts, item.Age.TotalHours, reason.Message);
    }

    /// <summary>
    /// PDI does this for nobody just now, though it may do something else, so that the breaker stays closed: others fail at it too, and
    /// nobody, tills included, has been answered for as long as the longest pause. An item that fails alone is at fault itself.
    /// </summary>
    private bool IsNobodysFault(PdiWorkItem item, string? operation)
    {
        if (operation is null)
            return false;
        var (sessionId, at) = lastFailed.GetValueOrDefault(operation);
        lastFailed[operation] = (item.SessionId, clock.GetTimestamp());
        return sessionId != Guid.Empty && sessionId != item.SessionId && clock.GetElapsedTime(at) <= 2 * limits.LongestPause
            && !health.HasAnswered(operation, limits.LongestPause);
    }

    /// <summary>
    /// As long as PDI asks for, or, where the breaker opened while the item was claimed, until PDI's return. But no longer than the brief's
    /// longest pause: PDI may name hours for what is over in minutes, and the sale's points would be as late.
    /// </summary>
    private TimeSpan PauseAfter(PdiWorkItem item, Exception reason) =>
        reason is PdiUnavailableException { AskedToWait: { } asked } && asked > limits.FirstPause
            ? TimeSpan.FromTicks(Math.Min(asked.Ticks, limits.LongestPause.Ticks))
            : limits.PauseAfter(item.Attempts);

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

        [LoggerMessage(EventName = "WaitingSaleFinalized", Level = LogLevel.Information, Message = "A sale that waited for PDI is finalized: {sessionId} {earnedPoints} {redeemedPoints}")]
        public static partial void WaitingSaleFinalized(ILogger logger, string sessionId, [CustomerIdentity] string customerId, long earnedPoints, long redeemedPoints);

        [LoggerMessage(EventName = "WaitingSaleRejected", Level = LogLevel.Error, Message = "PDI rejected a sale that had been taken: {sessionId}: {pdiCode}")]
        public static partial void WaitingSaleRejected(ILogger logger, string sessionId, [CustomerIdentity] string customerId, string pdiCode);

        [LoggerMessage(EventName = "WaitingCustomerRejected", Level = LogLevel.Error, Message = "PDI rejected a customer whose sale had been taken: {sessionId} was {status}: {pdiCode}")]
        public static partial void WaitingCustomerRejected(ILogger logger, string sessionId, [CustomerIdentity] string customerId, string status, string pdiCode);
    }
}
