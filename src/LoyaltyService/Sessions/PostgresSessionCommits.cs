using LoyaltyService.Observability;
using LoyaltyService.Storage;

namespace LoyaltyService.Sessions;

/// <summary>
/// Commits what different sessions need together (group commit). What arrives while others are on the wire goes with the next batch: one
/// round trip, one transaction, one commit for all of it. Nobody waits for company: a batch is whatever is there.
/// <para>
/// No change suffers from another one. One that meets a lock, or that a key or a check refuses, leaves its batch and runs by itself, with the
/// time and the retries that a single statement has; the others go again without it. Two changes of one session never share a batch.
/// </para>
/// <para>
/// There are two lanes, of one batch at a time each, so that they are not in conflict under serializable isolation: what adds sessions reads
/// nothing that anybody writes, and what changes sessions writes to no index. A transaction that did both would be in conflict with every other one
/// whose sessions lie on the same page of the index.
/// </para>
/// </summary>
internal sealed class PostgresSessionCommits(PostgresDatabase database, TimeProvider clock)
{
    private readonly Lane creations = new(database);
    private readonly Lane changes = new(database);

    /// <param name="saleKey">The sale of the session that is added, or looked for.</param>
    /// <param name="query">A row if it was added, or found.</param>
    public Task<Session?> CreateAsync(Guid saleKey, PostgresQuery<Session> query) => RunAsync(creations, saleKey, query);

    /// <param name="id">The session that is changed.</param>
    /// <param name="query">A row if the change was made.</param>
    public Task<Session?> ChangeAsync(Guid id, PostgresQuery<Session> query) => RunAsync(changes, id, query);

    private async Task<Session?> RunAsync(Lane lane, Guid subject, PostgresQuery<Session> query)
    {
        using var span = Tracing.StartCommit();
        var commit = new Commit(subject, query);
        lane.Add(commit);
        try
        {
            return await commit.Task.WaitAsync(PostgresDatabase.StatementTime, clock);
        }
        catch (TimeoutException late)
        {
            // If it has not begun, it never does.
            var unavailable = PostgresDatabase.TookTooLong(late);
            commit.TrySetException(unavailable);
            throw unavailable;
        }
    }

    private sealed class Lane(PostgresDatabase database)
    {
        private const int LargestBatch = 32;

        /// <summary>How long a batch waits for a row that somebody else holds.</summary>
        private static readonly TimeSpan BatchLockTimeout = TimeSpan.FromMilliseconds(50);

        private readonly Lock gate = new();
        private readonly List<Commit> waiting = [];
        private bool isRunning;

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
            while (TakeBatch() is { Count: > 0 } batch)
                await RunBatchAsync(batch);
        }

        private List<Commit> TakeBatch()
        {
            var batch = new List<Commit>();
            lock (gate)
            {
                waiting.RemoveAll(static commit => commit.Task.IsCompleted);
                foreach (var commit in waiting)
                {
                    if (batch.Count < LargestBatch && !batch.Exists(other => other.Subject == commit.Subject))
                        batch.Add(commit);
                }

                waiting.RemoveAll(batch.Contains);
                isRunning = batch.Count > 0;
            }

            return batch;
        }

        private async Task RunBatchAsync(List<Commit> batch)
        {
            while (batch.Count > 0)
            {
                try
                {
                    var rows = await database.QueryTogetherAsync(batch.ConvertAll(static commit => commit.Query), BatchLockTimeout);
                    for (var i = 0; i < rows.Count; i++)
                        batch[i].TrySetResult(rows[i]);
                    return;
                }
                catch (RefusedTogetherException refused)
                {
                    // Each time it is one less, so this ends.
                    var alone = refused.Query is { } culprit ? [batch[culprit]] : batch.ToList();
                    batch.RemoveAll(alone.Contains);
                    foreach (var commit in alone)
                        _ = RunAloneAsync(commit);
                }
                catch (Exception failed)
                {
                    foreach (var commit in batch)
                        commit.TrySetException(failed);
                    return;
                }
            }
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
        public Guid Subject => subject;

        public PostgresQuery<Session> Query => query;
    }
}
