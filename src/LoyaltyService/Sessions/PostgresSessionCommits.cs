using LoyaltyService.Observability;
using LoyaltyService.Storage;

namespace LoyaltyService.Sessions;

/// <summary>
/// Commits what different sessions need together (group commit). What arrives while others are on the wire goes with the next batch: one
/// round trip, one transaction, one commit for all of it. Nobody waits for company: a batch is whatever is there.
/// <para>
/// No change suffers from another one. One that meets a lock, or that a key or a check refuses, leaves its batch and runs by itself, with the
/// time and the retries that a single statement has; the others go again without it. Two changes of one session never share a batch. Who waits in
/// line waits as others do for a connection, and is told so after as long.
/// </para>
/// <para>
/// There are three lanes, of one batch at a time each, so that they are not in conflict under serializable isolation: what adds sessions reads
/// nothing that anybody writes, what changes sessions writes to no index, and what only looks writes nothing. A transaction that did more than one
/// of these would be in conflict with every other one whose sessions lie on the same page of the index.
/// </para>
/// </summary>
internal sealed class PostgresSessionCommits(PostgresDatabase database, TimeProvider clock)
{
    private readonly Lane creations = new(database, "COMMIT");
    private readonly Lane changes = new(database, "COMMIT");
    private readonly Lane looks = new(database, "SELECT");

    /// <param name="saleKey">The sale of the session that is added.</param>
    /// <param name="query">A row if it was added.</param>
    public Task<Session?> CreateAsync(Guid saleKey, PostgresQuery<Session> query) => RunAsync(creations, saleKey, query);

    /// <param name="id">The session that is changed.</param>
    /// <param name="query">A row if the change was made.</param>
    public Task<Session?> ChangeAsync(Guid id, PostgresQuery<Session> query) => RunAsync(changes, id, query);

    /// <param name="id">The session that is looked for, or its sale.</param>
    /// <param name="query">A row if it is there.</param>
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
            // It has not begun, and never will.
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

        /// <summary>What a trace says of it.</summary>
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

            // Nothing of this request goes with it: the lane serves others after this one.
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
                    // No connection came free, and who waited that long has left the line.
                }
                catch (Exception failed)
                {
                    // Nobody has been taken yet, and the next connection would fare no better.
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
                    // The second time nobody waits for the others any more.
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
                // Who has left the line stays for none; who is one of two for the same session, for the next one.
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

        /// <summary>False if its caller has left.</summary>
        public bool TryBegin() => Interlocked.Exchange(ref isTaken, 1) == 0;

        /// <summary>False if it has begun.</summary>
        public bool TryLeave() => Interlocked.Exchange(ref isTaken, 1) == 0;
    }
}
