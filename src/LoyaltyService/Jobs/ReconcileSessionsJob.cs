using System.Collections.Concurrent;
using System.Globalization;
using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;

namespace LoyaltyService.Jobs;

/// <summary>
/// Daily at 1 AM UTC (brief), compares sessions with PDI's records: each session that was closed yesterday or is in doubt, at a bounded rate.
/// Catches up on missed days. A difference becomes a finding for an operator. If PDI has finalized a session that still waits here, the
/// job makes it due: the worker asks PDI again and stores the receipt.
/// </summary>
internal sealed partial class ReconcileSessionsJob(
    IReconciliationStore reconciliation,
    IJobRunStore runs,
    IPdiWorkStore work,
    PdiWorker worker,
    IEnumerable<IOwedKind> kinds,
    PdiClient pdi,
    SessionLimits sessionLimits,
    JobLimits limits,
    ReconciliationMetrics metrics,
    TimeProvider clock,
    ILogger<ReconcileSessionsJob> logger) : IJob
{
    // Concurrent calls to PDI: few, because the tills come first.
    private const int Lanes = 4;

    // The next run resumes a failed day; a few manual runs may have failed since.
    private const int RunsBefore = 5;

    // A finalize in flight is in doubt for seconds. Only sessions in doubt for longer are checked.
    private static readonly TimeSpan InFlight = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan PauseWithoutPdi = TimeSpan.FromSeconds(15);

    public string Name => "reconciliation";

    public string Schedule => "0 1 * * *";

    public async Task RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var yesterday = DateOnly.FromDateTime(run.StartedAt.UtcDateTime).AddDays(-1);
        var earliest = yesterday.AddDays(-limits.ReconcileDaysBack);
        var day = (await reconciliation.LastDayAsync(cancellationToken))?.Day.AddDays(1) ?? yesterday;
        for (day = day < earliest ? earliest : day; day <= yesterday; day = day.AddDays(1))
            await CompareAsync(day, run, cancellationToken);
    }

    private async Task CompareAsync(DateOnly day, JobRun run, CancellationToken cancellationToken)
    {
        var progress = await ProgressOfAsync(day, run, cancellationToken);
        // A session created after the day cannot have been closed during it.
        var until = Midnight(day.AddDays(1)) + sessionLimits.Lifetime;
        while (await reconciliation.PageAsync(day, progress.Position, until, limits.BatchSize, cancellationToken) is { Reached: { } reached } page)
        {
            foreach (var second in page.Sessions.Chunk(limits.ReconcilePerSecond))
            {
                var started = clock.GetTimestamp();
                var found = await CompareAsync(day, second, run, progress, cancellationToken);
                progress = progress with
                {
                    // Together with the counts, so a replica that takes over counts nothing twice.
                    Position = new WalkPosition(second[^1].ExpiresAt, second[^1].Id),
                    Checked = progress.Checked + second.Length,
                    Found = progress.Found + found,
                };
                await run.ReportAsync(second.Length, progress.ToString(), cancellationToken);
                if (TimeSpan.FromSeconds(1) - clock.GetElapsedTime(started) is { Ticks: > 0 } rest)
                    await Task.Delay(rest, clock, cancellationToken);
            }

            progress = progress with { Position = reached };
            await run.ReportAsync(0, progress.ToString(), cancellationToken);
        }

        await reconciliation.EndDayAsync(new ReconciledDay(day, progress.Checked, progress.Found), cancellationToken);
        Log.DayCompared(logger, ReconciliationEndpoints.TextOf(day), progress.Checked, progress.Found);
    }

    /// <summary>The day's progress: from this run, from an earlier failed run, or none.</summary>
    private async Task<Progress> ProgressOfAsync(DateOnly day, JobRun run, CancellationToken cancellationToken)
    {
        var failed = (await runs.LatestAsync(Name, RunsBefore, cancellationToken)).Where(before => before.Outcome == "failed").Select(before => before.Progress);
        return failed.Prepend(run.Progress).Select(Progress.Parse).FirstOrDefault(progress => progress?.Day == day) ?? Progress.Begin(day, limits.ReconcileLate);
    }

    /// <summary>Checks some sessions. While PDI is unavailable, waits and keeps the run.</summary>
    private async Task<int> CompareAsync(DateOnly day, Session[] sessions, JobRun run, Progress progress, CancellationToken cancellationToken)
    {
        var found = 0;
        var left = new ConcurrentQueue<Session>(sessions);
        while (!left.IsEmpty)
        {
            try
            {
                await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async _ =>
                {
                    while (left.TryDequeue(out var session))
                    {
                        try
                        {
                            if (await FindDifferenceAsync(day, session, run.StartedAt, cancellationToken) is { } finding && await NoteAsync(finding, cancellationToken))
                                Interlocked.Increment(ref found);
                        }
                        catch (LoyaltyException)
                        {
                            // Retried when PDI or the database is back.
                            left.Enqueue(session);
                            throw;
                        }
                    }
                }));
            }
            catch (Exception away) when (away is PdiUnavailableException or PdiAuthenticationException)
            {
                Log.PdiAway(logger, away.Message);
                await run.ReportAsync(0, progress.ToString(), cancellationToken);
                await Task.Delay(PauseWithoutPdi, clock, cancellationToken);
            }
        }

        return found;
    }

    // The run's start and the session's waiting time both use the database's clock.
    private async Task<Finding?> FindDifferenceAsync(DateOnly day, Session session, DateTimeOffset began, CancellationToken cancellationToken)
    {
        var doubtful = kinds.Any(kind => kind.IsOwedBy(session));
        if (doubtful && (await work.FindAsync(session.Id, cancellationToken) is not { } row || row.IsLeased || began - row.CreatedAt < InFlight))
            return null;

        var receipt = (await pdi.GetSessionStatusAsync(session.PdiSessionId!)).Value is { } state ? (state.Status, state.Receipt) : ("not there", null);
        var kind = (session.Status is SessionStatus.Finalized, receipt.Receipt) switch
        {
            (true, null) => FindingKinds.MissingAtPdi,
            (true, { } theirs) when (theirs.EarnedPoints, theirs.RedeemedPoints, theirs.ReceiptId) != (session.EarnedPoints, session.RedeemedPoints, session.ReceiptId) =>
                FindingKinds.AmountsDiffer,
            (false, not null) => FindingKinds.FinalizedAtPdiOnly,
            _ => null,
        };
        if (kind is null)
            return null;
        if (doubtful && await work.ReplayAsync(session.Id, audit: null, cancellationToken) is not null)
            worker.Wake();
        return new Finding(Guid.NewGuid(), day, session.Id, kind, Words(session), Words(receipt.Item1, receipt.Receipt));
    }

    private async Task<bool> NoteAsync(Finding finding, CancellationToken cancellationToken)
    {
        if (!await reconciliation.AddAsync(finding, cancellationToken))
            return false;
        metrics.FindingFound(finding.Kind);
        Log.DifferenceFound(logger, SessionId.Format(finding.SessionId), finding.Kind, finding.Here, finding.AtPdi);
        return true;
    }

    private static string Words(Session session) => session.Status is SessionStatus.Finalized
        ? Words(session.Status.ToText(), session.ReceiptId, session.EarnedPoints, session.RedeemedPoints)
        : $"{session.Status.ToText()}{(session.Failure is { } failure ? ", " + failure.Reason : "")}";

    private static string Words(string status, PdiReceipt? receipt) =>
        receipt is null ? status : Words(status, receipt.ReceiptId, receipt.EarnedPoints, receipt.RedeemedPoints);

    private static string Words(string status, string? receiptId, long earned, long redeemed) =>
        string.Create(CultureInfo.InvariantCulture, $"{status}, receipt {receiptId}, earned {earned}, redeemed {redeemed}");

    private static DateTimeOffset Midnight(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);

    /// <summary>A day's progress, as stored for a run that takes over.</summary>
    private sealed record Progress(DateOnly Day, WalkPosition Position, long Checked, long Found)
    {
        public static Progress Begin(DateOnly day, TimeSpan late) => new(day, new WalkPosition(Midnight(day) - late), 0, 0);

        public static Progress? Parse(string? text) => text?.Split(';') is [var day, var position, var seen, var found]
            ? new Progress(
                DateOnly.ParseExact(day, "O", CultureInfo.InvariantCulture), WalkPosition.Parse(position)!,
                long.Parse(seen, CultureInfo.InvariantCulture), long.Parse(found, CultureInfo.InvariantCulture))
            : null;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Day:O};{Position};{Checked};{Found}");
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "DayReconciled", Level = LogLevel.Information, Message = "Compared with PDI: {day}, {checked} sessions, {found} differ")]
        public static partial void DayCompared(ILogger logger, string day, long @checked, long found);

        [LoggerMessage(EventName = "DifferenceFound", Level = LogLevel.Error, Message = "Differs from PDI's record: {sessionId} {kind}, here {here}, at PDI {atPdi}")]
        public static partial void DifferenceFound(ILogger logger, string sessionId, string kind, string here, string atPdi);

        [LoggerMessage(EventName = "ReconciliationWaits", Level = LogLevel.Warning, Message = "The reconciliation waits for PDI: {reason}")]
        public static partial void PdiAway(ILogger logger, string reason);
    }
}
