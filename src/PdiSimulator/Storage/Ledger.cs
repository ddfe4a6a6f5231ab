using Microsoft.Data.Sqlite;
using PdiSimulator.Calls;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

/// <summary>
/// The one SQLite file that PDI's memory is.
/// <para>
/// One connection with prepared statements behind one lock, rather than a pool: SQLite has a single writer in any case, a transaction
/// here takes tens of microseconds, and a connection for each call would cost more than the work. The lock is awaited, not blocked on,
/// so that a slow disk holds up calls and not threads.
/// </para>
/// <para>
/// The journal is a write-ahead log. A kill loses nothing that was committed; with synchronous=normal a power cut may lose the last
/// commits, and --durable, which flushes each one, is for those who test that.
/// </para>
/// </summary>
internal sealed class Ledger : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SqliteConnection _connection;
    private readonly LedgerTables _tables;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;

    public Ledger(SimulatorOptions options)
    {
        // Unpooled, so that closing the ledger really closes the file; one connection needs no pool.
        var settings = new SqliteConnectionStringBuilder { DataSource = options.LedgerPath, Pooling = false };
        _connection = new SqliteConnection(settings.ConnectionString);
        _connection.Open();

        LedgerSchema.Prepare(_connection, options.Durable);

        _tables = new LedgerTables(_connection);
        _begin = new Statement(_connection, "begin immediate");
        _commit = new Statement(_connection, "commit");
        _rollback = new Statement(_connection, "rollback");
    }

    /// <summary>
    /// Does the work once for each key: the same request again gets the first answer again, another request under the key is refused.
    /// A refusal is kept like any other answer. The work's own writes and the answer are committed together.
    /// </summary>
    public Task<Answer> WriteOnceAsync<TRequest>(Operation operation, string key, TRequest request, Func<LedgerTables, Answer> work) =>
        WriteAsync(tables =>
        {
            var fingerprint = RequestFingerprint.Of(request);

            if (tables.Answers.Find(operation, key) is { } earlier)
                return earlier.Fingerprint == fingerprint ? earlier.Answer : Refusals.KeyReused();

            var answer = work(tables);
            tables.Answers.Add(operation, key, fingerprint, answer);
            return answer;
        });

    // Neither of these two is cancelled when the caller goes: PDI finishes what it has received, which is what leaves callers in doubt.
    public async Task<T> WriteAsync<T>(Func<LedgerTables, T> work)
    {
        await _turn.WaitAsync();

        try
        {
            _begin.Run();

            try
            {
                var result = work(_tables);
                _commit.Run();
                return result;
            }
            catch
            {
                _rollback.Run();
                throw;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<T> ReadAsync<T>(Func<LedgerTables, T> work)
    {
        await _turn.WaitAsync();

        try
        {
            return work(_tables);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _begin.Dispose();
        _commit.Dispose();
        _rollback.Dispose();
        _tables.Dispose();
        _connection.Dispose();
        _turn.Dispose();
    }
}
