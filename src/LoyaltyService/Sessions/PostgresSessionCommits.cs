using LoyaltyService.Observability;
using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Sessions;

/// <summary>
/// Commits changes of different sessions together (group commit). Those that arrive while others are on the wire go with the next batch: one
/// round trip, one transaction, one commit for all of it. Nobody waits for company: a batch is whatever is there.
/// <para>
/// No change suffers from another one. If a batch meets a lock, or isolation or a key refuses one of its changes, nothing of it is done, and
/// each runs by itself, with the time and the retries that a single statement has. Two changes of one session never share a batch.
/// </para>
/// </summary>
internal sealed class PostgresSessionCommits(PostgresDatabase database, TimeProvider clock)
{
    /// <summary>How many batches are on the wire at most; the second one fills while the first one is written to the disk.</summary>
    private const int Lanes = 2;

    private const int LargestBatch = 32;

    /// <summary>How long a batch waits for a row that somebody else holds.</summary>
    private static readonly TimeSpan BatchLockTimeout = TimeSpan.FromMilliseconds(50);

    private readonly Lock gate = new();
    private readonly List<Commit> waiting = [];
    private int lanes;

    /// <param name="subject">What no two changes of a batch may have in common: the session, or its sale.</param>
    /// <param name="query">The change; a row if it was applied.</param>
    public async Task<Session?> RunAsync(Guid subject, PostgresQuery<Session> query)
    {
        using var span = Tracing.StartCommit();
        var commit = new Commit(subject, query);
        lock (gate)
        {
            waiting.Add(commit);
            if (lanes < Lanes)
            {
                lanes++;
                // Nothing of this request goes with it: the lane serves others after this one.
                ThreadPool.UnsafeQueueUserWorkItem(static commits => _ = commits.RunLaneAsync(), this, preferLocal: true);
            }
        }

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

    private async Task RunLaneAsync()
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
            if (batch.Count == 0)
                lanes--;
        }

        return batch;
    }

    private async Task RunBatchAsync(List<Commit> batch)
    {
        try
        {
            var rows = await database.QueryTogetherAsync(batch.ConvertAll(static commit => commit.Query), BatchLockTimeout);
            for (var i = 0; i < rows.Count; i++)
                batch[i].TrySetResult(rows[i]);
        }
        catch (PostgresException)
        {
            foreach (var commit in batch)
                _ = RunAloneAsync(commit);
        }
        catch (Exception failed)
        {
            foreach (var commit in batch)
                commit.TrySetException(failed);
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

    private sealed class Commit(Guid subject, PostgresQuery<Session> query)
        : TaskCompletionSource<Session?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Guid Subject => subject;

        public PostgresQuery<Session> Query => query;
    }
}
