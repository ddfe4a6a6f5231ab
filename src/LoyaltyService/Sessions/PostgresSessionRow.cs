using LoyaltyService.Storage;
using Npgsql;

namespace LoyaltyService.Sessions;

/// <summary>Reads rows of <c>sessions</c>, <c>sessions_archive</c> and their events.</summary>
internal static class PostgresSessionRow
{
    public const string Columns = """
        id, sale_key, client, channel_id, transaction_id, store_id, customer_id, metadata, identify_fingerprint, trace_id,
        created_at, expires_at, status, version, pdi_session_id, customer_name, current_points, tier, identified_version,
        earned_points, reward_source, finalize_fingerprint, finalize_key, final_amount, apply_rewards, redeem_points,
        redeemed_points, new_balance, receipt_id, finalized_at, failure_reason, failure_code, failure_message,
        busy_until is not null and busy_until > now() as is_busy, expires_at <= now() as is_expired
        """;

    public const string EventColumns = "version, event, status, cause, at, amount, earned_points, redeemed_points, reward_source, detail, trace_id";

    public static Session Read(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        SaleKey = row.GetGuid(1),
        Client = row.GetString(2),
        ChannelId = row.GetString(3),
        TransactionId = row.GetString(4),
        StoreId = row.StringOrNull(5),
        CustomerId = row.GetString(6),
        Metadata = row.StringOrNull(7),
        IdentifyFingerprint = row.GetGuid(8),
        TraceId = row.StringOrNull(9),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(10),
        ExpiresAt = row.GetFieldValue<DateTimeOffset>(11),
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
            row.GetGuid(21), row.GetGuid(22), row.GetDecimal(23), row.GetBoolean(24), row.GetInt64(25)),
        RedeemedPoints = row.GetInt64(26),
        NewBalance = row.IsDBNull(27) ? null : row.GetInt64(27),
        ReceiptId = row.StringOrNull(28),
        FinalizedAt = row.IsDBNull(29) ? null : row.GetFieldValue<DateTimeOffset>(29),
        Failure = row.IsDBNull(30) ? null : new SessionFailure(row.GetString(30), row.StringOrNull(31), row.StringOrNull(32)),
        IsBusy = row.GetBoolean(33),
        IsExpired = row.GetBoolean(34),
    };

    public static SessionEventRow ReadEvent(NpgsqlDataReader row) => new(
        row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetFieldValue<DateTimeOffset>(4),
        row.IsDBNull(5) ? null : row.GetDecimal(5), row.GetInt64(6), row.GetInt64(7),
        row.StringOrNull(8), row.StringOrNull(9), row.StringOrNull(10));
}
