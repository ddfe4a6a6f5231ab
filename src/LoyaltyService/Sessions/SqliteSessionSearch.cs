using LoyaltyService.Http;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Sessions;

/// <summary>The walk in one SQLite file: as <see cref="PostgresSessionSearch"/>.</summary>
internal sealed class SqliteSessionSearch(SqliteDatabase database) : ISessionSearch
{
    private const string Columns = """
        id, client, customer_id, channel_id, transaction_id, store_id, status, version, earned_points, redeemed_points, receipt_id,
        failure_reason, created_at, expires_at, finalized_at
        """;

    public Task<IReadOnlyList<FoundSession>> WalkAsync(SessionQuery query, PageCursor? after, CancellationToken cancellationToken) =>
        database.ReadAsync(connection =>
        {
            using var walk = connection.Command(
                StatementFor(query),
                ("$after", (after?.At ?? DateTimeOffset.MaxValue).ToUnixTimeMilliseconds()), ("$after_id", (after?.Id ?? Guid.AllBitsSet).ToBlob()),
                ("$from", (query.From ?? DateTimeOffset.UnixEpoch).ToUnixTimeMilliseconds()),
                ("$to", (query.To ?? DateTimeOffset.MaxValue).ToUnixTimeMilliseconds()), ("$limit", ISessionSearch.RowsLookedAt),
                ("$transaction_id", query.TransactionId), ("$customer_id", query.CustomerId));
            return walk.All(ReadFound);
        }, cancellationToken);

    private static string StatementFor(SessionQuery query)
    {
        var along = query switch
        {
            { TransactionId: not null } => "transaction_id = $transaction_id and ($customer_id is null or customer_id = $customer_id)",
            { CustomerId: not null } => "customer_id = $customer_id",
            _ => "true",
        };
        return $"""
            select * from (
                select {Columns}, null as archived_at from sessions
                 where {along} and (created_at, id) < ($after, $after_id) and created_at between $from and $to
                 order by created_at desc, id desc limit $limit)
            union all
            select * from (
                select {Columns}, archived_at from sessions_archive
                 where {along} and (created_at, id) < ($after, $after_id) and created_at between $from and $to
                 order by created_at desc, id desc limit $limit)
             order by created_at desc, id desc
             limit $limit
            """;
    }

    private static FoundSession ReadFound(SqliteDataReader row) => new(
        row.GuidAt(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.StringOrNull(5), row.GetString(6),
        row.GetInt32(7), row.GetInt64(8), row.GetInt64(9), row.StringOrNull(10), row.StringOrNull(11), row.TimeAt(12), row.TimeAt(13),
        row.TimeOrNull(14), row.TimeOrNull(15));
}
