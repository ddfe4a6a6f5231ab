using Microsoft.Data.Sqlite;

namespace LoyaltyService.Storage;

/// <summary>
/// The embedded database: one file, one process, one connection. SQLite has one writer and its calls are synchronous, so callers queue for
/// the connection here; after the brief's lock timeout a caller gets 503. The file is locked exclusively: a second replica on it does not
/// start.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    /// <summary>brief: lock acquisition timeout, 5 s.</summary>
    public static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly SqliteConnection connection;

    public SqliteDatabase(string path)
    {
        connection = Open(path);
    }

    /// <summary>Runs <paramref name="work"/> in one transaction, which holds the write lock from its start.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken);
        try
        {
            // Microsoft.Data.Sqlite begins immediately (BEGIN IMMEDIATE) unless told to defer.
            using var transaction = connection.BeginTransaction();
            var result = work(connection);
            transaction.Commit();
            return result;
        }
        catch (SqliteException broken) when (IsUnavailable(broken))
        {
            throw new DatabaseUnavailableException("The database file cannot be used.", broken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Runs <paramref name="work"/> outside a transaction: for single statements that read.</summary>
    public async Task<T> ReadAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken);
        try
        {
            return work(connection);
        }
        catch (SqliteException broken) when (IsUnavailable(broken))
        {
            throw new DatabaseUnavailableException("The database file cannot be used.", broken);
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose()
    {
        connection.Dispose();
        gate.Dispose();
    }

    private static SqliteConnection Open(string path)
    {
        var settings = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            // Seconds: how long SQLite waits for another process's lock.
            DefaultTimeout = (int)LockTimeout.TotalSeconds,
        };
        var connection = new SqliteConnection(settings.ConnectionString);
        try
        {
            connection.Open();
            using var setup = connection.CreateCommand();
            // synchronous=FULL: a commit is on disk before it is acknowledged. Exclusive: one process per file.
            setup.CommandText = """
                pragma locking_mode = exclusive;
                pragma journal_mode = wal;
                pragma synchronous = full;
                pragma foreign_keys = on;
                begin immediate;
                commit;
                """;
            setup.ExecuteNonQuery();
            return connection;
        }
        catch (SqliteException held) when (held.SqliteErrorCode == SQLitePCL.raw.SQLITE_BUSY)
        {
            connection.Dispose();
            throw new InvalidOperationException(
                $"The database file {path} is in use by another process. SQLite serves one replica; give DATABASE_URL a postgresql:// URL for more.",
                held);
        }
    }

    private async Task EnterAsync(CancellationToken cancellationToken)
    {
        if (!await gate.WaitAsync(LockTimeout, cancellationToken))
            throw new OverloadedException($"The database was busy for {LockTimeout.TotalSeconds} s.");
    }

    // Disk full, I/O error, corrupt, read-only, busy, locked: the file is not usable now. A violated constraint is a defect.
    private static bool IsUnavailable(SqliteException exception) => exception.SqliteErrorCode
        is SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED or SQLitePCL.raw.SQLITE_READONLY or SQLitePCL.raw.SQLITE_IOERR
        or SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_FULL or SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_NOTADB;
}
