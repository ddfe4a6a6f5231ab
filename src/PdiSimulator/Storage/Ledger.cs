using Microsoft.Data.Sqlite;
using PdiSimulator.Calls;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

/// <summary>
/// PDI's state, in one SQLite file.
/// <para>
/// One lock guards one connection with prepared statements. SQLite allows a single writer anyway. A transaction takes tens of
/// microseconds, less than opening a connection. Callers await the lock, so a slow disk delays calls but blocks no threads.
/// </para>
/// <para>
/// The journal is a write-ahead log, so a kill loses no commits. With synchronous=normal a power cut may lose the latest ones;
/// --durable flushes each commit.
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
        // Without a pool, closing the ledger closes the file.
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
    /// Runs the work once per key. The same request gets the first answer again, refusals included; a different request under the
    /// same key is refused. The work's writes and the answer commit together.
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

    // Neither method is cancellable: like PDI, it finishes a call after the caller disconnects, which leaves the caller in doubt.
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
