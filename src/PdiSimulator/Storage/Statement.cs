using Microsoft.Data.Sqlite;

namespace PdiSimulator.Storage;

/// <summary>A prepared statement with positional parameters. Not thread-safe; the ledger's lock guards it.</summary>
internal sealed class Statement : IDisposable
{
    private readonly SqliteCommand _command;

    public Statement(SqliteConnection connection, string sql)
    {
        _command = connection.CreateCommand();
        _command.CommandText = sql;
    }

    public void Run(params ReadOnlySpan<object?> values)
    {
        Bind(values);
        _command.ExecuteNonQuery();
    }

    public T? First<T>(Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        Bind(values);
        using var reader = _command.ExecuteReader();
        return reader.Read() ? read(reader) : default;
    }

    public List<T> All<T>(Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        Bind(values);
        using var reader = _command.ExecuteReader();
        var rows = new List<T>();

        while (reader.Read())
            rows.Add(read(reader));

        return rows;
    }

    public void Dispose() => _command.Dispose();

    // Reusing the parameters keeps the command prepared.
    private void Bind(ReadOnlySpan<object?> values)
    {
        for (var index = 0; index < values.Length; index++)
        {
            var value = values[index] ?? DBNull.Value;

            if (index == _command.Parameters.Count)
                _command.Parameters.AddWithValue($"${index + 1}", value);
            else
                _command.Parameters[index].Value = value;
        }
    }
}
