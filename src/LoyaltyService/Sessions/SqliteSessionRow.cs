using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Sessions;

/// <summary>A row of <c>sessions</c> or <c>sessions_archive</c>, and one of their events, as the service knows them.</summary>
internal static class SqliteSessionRow
{
    private const string Now = SqliteValues.Now;

    public const string Columns = $"""
        id, sale_key, client, channel_id, transaction_id, store_id, customer_id, metadata, identify_fingerprint, trace_id,
        created_at, expires_at, status, version, pdi_session_id, customer_name, current_points, tier, identified_version,
        earned_points, reward_source, finalize_fingerprint, finalize_key, final_amount, apply_rewards, redeem_points,
        redeemed_points, new_balance, receipt_id, finalized_at, failure_reason, failure_code, failure_message,
        busy_until is not null and busy_until > {Now} as is_busy, expires_at <= {Now} as is_expired
        """;

    public const string EventColumns = "version, event, status, cause, at, amount, earned_points, redeemed_points, reward_source, detail, trace_id";

    public static Session Read(SqliteDataReader row) => new()
    {
        Id = row.GuidAt(0),
        SaleKey = row.GuidAt(1),
        Client = row.GetString(2),
        ChannelId = row.GetString(3),
        TransactionId = row.GetString(4),
        StoreId = row.StringOrNull(5),
        CustomerId = row.GetString(6),
        Metadata = row.StringOrNull(7),
        IdentifyFingerprint = row.GuidAt(8),
        TraceId = row.StringOrNull(9),
        CreatedAt = row.TimeAt(10),
        ExpiresAt = row.TimeAt(11),
        Status = SessionStatusText.Parse(row.GetString(12)),
        Version = row.GetInt32(13),
        PdiSessionId = row.StringOrNull(14),
        CustomerName = row.StringOrNull(15),
        CurrentPoints = row.GetInt64(16),
        Tier = row.StringOrNull(17),
        IdentifiedVersion = row.IsDBNull(18) ? null : row.GetInt32(18),
        EarnedPoints = row.GetInt64(19),
        RewardSource = row.StringOrNull(20),
        Intent = row.IsDBNull(22) ? null : new FinalizeIntent(
            row.GuidAt(21), row.GuidAt(22), row.GetInt64(23) / 100m, row.GetBoolean(24), row.GetInt64(25)),
        RedeemedPoints = row.GetInt64(26),
        NewBalance = row.IsDBNull(27) ? null : row.GetInt64(27),
        ReceiptId = row.StringOrNull(28),
        FinalizedAt = row.IsDBNull(29) ? null : row.TimeAt(29),
        Failure = row.IsDBNull(30) ? null : new SessionFailure(row.GetString(30), row.StringOrNull(31), row.StringOrNull(32)),
        IsBusy = row.GetBoolean(33),
        IsExpired = row.GetBoolean(34),
    };

    public static SessionEventRow ReadEvent(SqliteDataReader row) => new(
        row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), row.TimeAt(4),
        row.IsDBNull(5) ? null : row.GetInt64(5) / 100m, row.GetInt64(6), row.GetInt64(7),
        row.StringOrNull(8), row.StringOrNull(9), row.StringOrNull(10));
}
