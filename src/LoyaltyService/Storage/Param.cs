using Npgsql;
using NpgsqlTypes;

namespace LoyaltyService.Storage;

/// <summary>Positional parameters without boxing, null included.</summary>
internal static class Param
{
    public static NpgsqlParameter Of(string? value) => new NpgsqlParameter<string?> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Of(Guid? value) => Typed(value, NpgsqlDbType.Uuid);

    public static NpgsqlParameter Of(int? value) => Typed(value, NpgsqlDbType.Integer);

    public static NpgsqlParameter Of(long? value) => Typed(value, NpgsqlDbType.Bigint);

    public static NpgsqlParameter Of(decimal? value) => Typed(value, NpgsqlDbType.Numeric);

    public static NpgsqlParameter Of(bool? value) => Typed(value, NpgsqlDbType.Boolean);

    public static NpgsqlParameter Of(byte[] value) => new NpgsqlParameter<byte[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea };

    public static NpgsqlParameter Of(DateTimeOffset? value) => Typed(value, NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter Of(TimeSpan? value) => Typed(value, NpgsqlDbType.Interval);

    private static NpgsqlParameter Typed<T>(T? value, NpgsqlDbType type)
        where T : struct => value is { } present
        ? new NpgsqlParameter<T> { TypedValue = present, NpgsqlDbType = type }
        : new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = type };
}

internal static class NpgsqlDataReaderColumns
{
    public static string? StringOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static DateTimeOffset? TimeOrNull(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
