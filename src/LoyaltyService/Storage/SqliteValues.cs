using Microsoft.Data.Sqlite;

namespace LoyaltyService.Storage;

/// <summary>Values in the SQLite file: UUIDs as 16 bytes, times as milliseconds since 1970, amounts as cents.</summary>
internal static class SqliteValues
{
    /// <summary>The database's clock in SQL: milliseconds since 1970.</summary>
    public const string Now = "cast(unixepoch('subsec') * 1000 as integer)";

    public static byte[] ToBlob(this Guid value) => value.ToByteArray(bigEndian: true);

    public static long ToMilliseconds(this TimeSpan value) => (long)value.TotalMilliseconds;

    public static long ToCents(this decimal amount) => decimal.ToInt64(amount * 100);

    public static long? ToCents(this decimal? amount) => amount?.ToCents();

    public static Guid GuidAt(this SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);

    public static DateTimeOffset TimeAt(this SqliteDataReader row, int column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    public static DateTimeOffset? TimeOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.TimeAt(column);

    public static string? StringOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static SqliteCommand Command(this SqliteConnection connection, string statement, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = statement;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    public static int Execute(this SqliteConnection connection, string statement, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = connection.Command(statement, parameters);
        return command.ExecuteNonQuery();
    }

    public static IReadOnlyList<T> All<T>(this SqliteCommand command, Func<SqliteDataReader, T> read)
    {
        using var row = command.ExecuteReader();
        var rows = new List<T>();
        while (row.Read())
            rows.Add(read(row));
        return rows;
    }

    public static T? First<T>(this SqliteCommand command, Func<SqliteDataReader, T> read)
        where T : class
    {
        using var row = command.ExecuteReader();
        return row.Read() ? read(row) : null;
    }
}
