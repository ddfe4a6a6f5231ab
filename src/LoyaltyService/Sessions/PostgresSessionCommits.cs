using LoyaltyService.Observability;
using LoyaltyService.Storage;

namespace LoyaltyService.Sessions;

/// <summary>
/// Group commit: statements of different sessions that arrive while a batch is in flight form the next batch, with one round trip, one
/// transaction and one commit. A batch never waits to fill up.
/// <para>
/// No change suffers from another. A statement that meets a lock, or violates a key or check, leaves its batch and runs alone, with the timeout and
/// retries of a single statement; the rest of the batch runs again. A batch holds at most one change per session. A queued caller times out as one
/// that waits for a connection does.
/// </para>
/// <para>
/// Three lanes, one batch at a time each, avoid conflicts under serializable isolation: inserts read nothing that others write, updates write to no
/// index, and lookups write nothing. A transaction that mixed these would conflict with every other one on the same index page.
/// </para>
/// </summary>
internal sealed class PostgresSessionCommits(PostgresDatabase database, TimeProvider clock)
{
    private readonly Lane creations = new(database, "COMMIT");
    private readonly Lane changes = new(database, "COMMIT");
    private readonly Lane looks = new(database, "SELECT");

    /// <param name="saleKey">The sale of the new session.</param>
    /// <param name="query">Returns a row if the session was inserted.</param>
    public Task<Session?> CreateAsync(Guid saleKey, PostgresQuery<Session> query) => RunAsync(creations, saleKey, query);

    /// <param name="id">The changed session.</param>
    /// <param name="query">Returns a row if the change was applied.</param>
    public Task<Session?> ChangeAsync(Guid id, PostgresQuery<Session> query) => RunAsync(changes, id, query);

    /// <param name="id">The session, or its sale.</param>
    /// <param name="query">Returns a row if it exists.</param>
    public Task<Session?> FindAsync(Guid id, PostgresQuery<Session> query) => RunAsync(looks, id, query);

    private async Task<Session?> RunAsync(Lane lane, Guid subject, PostgresQuery<Session> query)
    {
        using var span = Tracing.StartTogether(lane.Operation);
        var commit = new Commit(subject, query);
        lane.Add(commit);
        try
        {
            return await commit.Task.WaitAsync(PostgresDatabase.ConnectionWait, clock);
        }
        catch (TimeoutException late) when (commit.TryLeave())
        {
            // It has not started, and never will.
            throw PostgresDatabase.NoneCameFree(late);
        }
        catch (TimeoutException)
        {
            return await EndAsync(commit);
        }
    }

    private async Task<Session?> EndAsync(Commit begun)
    {
        try
        {
            return await begun.Task.WaitAsync(PostgresDatabase.StatementTime - PostgresDatabase.ConnectionWait, clock);
        }
        catch (TimeoutException late)
        {
            throw PostgresDatabase.TookTooLong(late);
        }
    }

    private sealed class Lane(PostgresDatabase database, string operation)
    {
        private const int LargestBatch = 32;

        private readonly Lock gate = new();
        private readonly List<Commit> waiting = [];
        private bool isRunning;

        /// <summary>The operation's name in a trace.</summary>
        public string Operation => operation;

        public void Add(Commit commit)
        {
            lock (gate)
            {
                waiting.Add(commit);
                if (isRunning)
                    return;
                isRunning = true;
            }

            // The lane outlives this request, so no context of the request flows into it.
            ThreadPool.UnsafeQueueUserWorkItem(static lane => _ = lane.RunAsync(), this, preferLocal: true);
        }

        private async Task RunAsync()
        {
            while (HasWork())
            {
                try
                {
                    await RunBatchAsync();
                }
                catch (OverloadedException)
                {
                    // No connection became free; callers that waited that long have given up.
                }
                catch (Exception failed)
                {
                    // The batch is still empty, and the next connection would not do better.
                    foreach (var commit in Take(int.MaxValue))
                        commit.TrySetException(failed);
                }
            }
        }

        private bool HasWork()
        {
            lock (gate)
                return isRunning = waiting.Count > 0;
        }

        private async Task RunBatchAsync()
        {
            List<Commit>? batch = null;
            for (var isFirst = true; batch is not []; isFirst = false)
            {
                try
                {
                    var rows = await database.QueryTogetherAsync(() => (batch ??= Take(LargestBatch)).ConvertAll(static commit => commit.Query));
                    for (var i = 0; i < rows.Count; i++)
                        batch![i].TrySetResult(rows[i]);
                    return;
                }
                catch (RefusedTogetherException refused)
                {
                    // The second time, no statement waits for the others.
                    var alone = isFirst && refused.Query is { } culprit ? [batch![culprit]] : batch!.ToList();
                    batch!.RemoveAll(alone.Contains);
                    foreach (var commit in alone)
                        _ = RunAloneAsync(commit);
                }
                catch (Exception failed) when (batch is not null)
                {
                    foreach (var commit in batch)
                        commit.TrySetException(failed);
                    return;
                }
            }
        }

        private List<Commit> Take(int most)
        {
            var batch = new List<Commit>();
            lock (gate)
            {
                // Skip callers that gave up; defer a session's second change.
                waiting.RemoveAll(commit =>
                {
                    if (batch.Count == most || (most is LargestBatch && batch.Exists(other => other.Subject == commit.Subject)))
                        return false;
                    if (commit.TryBegin())
                        batch.Add(commit);
                    return true;
                });
            }

            return batch;
        }

        private async Task RunAloneAsync(Commit commit)
        {
            try
            {
                commit.TrySetResult(await database.QueryAsync(commit.Query, CancellationToken.None));
            }
            catch (Exception failed)
            {
                commit.TrySetException(failed);
            }
        }
    }

    private sealed class Commit(Guid subject, PostgresQuery<Session> query)
        : TaskCompletionSource<Session?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        private int isTaken;

        public Guid Subject => subject;

        public PostgresQuery<Session> Query => query;

        /// <summary>False if its caller gave up.</summary>
        public bool TryBegin() => Interlocked.Exchange(ref isTaken, 1) == 0;

        /// <summary>False if it has started.</summary>
        public bool TryLeave() => Interlocked.Exchange(ref isTaken, 1) == 0;
    }
}
