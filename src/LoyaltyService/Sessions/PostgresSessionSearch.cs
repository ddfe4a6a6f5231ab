using LoyaltyService.Http;
using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Sessions;

/// <summary>The walk in PostgreSQL: the same along both tables, each by its own index, merged.</summary>
internal sealed class PostgresSessionSearch(PostgresDatabase database) : ISessionSearch
{
    private const string Columns = """
        id, client, customer_id, channel_id, transaction_id, store_id, status, version, earned_points, redeemed_points, receipt_id,
        failure_reason, created_at, expires_at, finalized_at
        """;

    public Task<IReadOnlyList<FoundSession>> WalkAsync(SessionQuery query, PageCursor? after, CancellationToken cancellationToken) =>
        database.ListReadCommittedAsync(StatementFor(query), ParametersOf(query, after), ReadFound, cancellationToken);

    /// <summary>One statement per index. The filters given choose it, not the planner.</summary>
    internal static string StatementFor(SessionQuery query) => Walk(query switch
    {
        { TransactionId: not null } => "transaction_id = $6 and ($7::text is null or customer_id = $7)",
        { CustomerId: not null } => "$6::text is null and customer_id = $7",
        _ => "$6::text is null and $7::text is null",
    });

    internal static NpgsqlParameter[] ParametersOf(SessionQuery query, PageCursor? after) =>
    [
        // Newest first: the next page is older.
        Param.Of(after?.At ?? DateTimeOffset.MaxValue), Param.Of(after?.Id ?? Guid.AllBitsSet),
        Param.Of(query.From ?? DateTimeOffset.UnixEpoch), Param.Of(query.To ?? DateTimeOffset.MaxValue), Param.Of(ISessionSearch.RowsLookedAt),
        Param.Of(query.TransactionId), Param.Of(query.CustomerId),
    ];

    private static string Walk(string along) => $"""
        (select {Columns}, null::timestamptz as archived_at from sessions
          where {along} and (created_at, id) < ($1, $2) and created_at between $3 and $4
          order by created_at desc, id desc limit $5)
        union all
        (select {Columns}, archived_at from sessions_archive
          where {along} and (created_at, id) < ($1, $2) and created_at between $3 and $4
          order by created_at desc, id desc limit $5)
         order by created_at desc, id desc
         limit $5
        """;

    private static FoundSession ReadFound(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.StringOrNull(5), row.GetString(6),
        row.GetInt32(7), row.GetInt64(8), row.GetInt64(9), row.StringOrNull(10), row.StringOrNull(11),
        row.GetFieldValue<DateTimeOffset>(12), row.GetFieldValue<DateTimeOffset>(13), row.TimeOrNull(14), row.TimeOrNull(15));
}
