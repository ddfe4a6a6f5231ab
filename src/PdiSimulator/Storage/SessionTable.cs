using Microsoft.Data.Sqlite;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

internal sealed class SessionTable(SqliteConnection connection) : IDisposable
{
    public const string Columns = """
        pdi_session_id, customer_id, channel_id, transaction_id, store_id, status, opened_at,
        finalized_at, final_amount, earned_points, redeemed_points, new_balance, receipt_id
        """;

    public const int ColumnCount = 13;

    private readonly Statement _find = new(connection, $"""
        select {Columns}
          from sessions
         where pdi_session_id = $1
        """);

    private readonly Statement _open = new(connection, """
        insert into sessions (pdi_session_id, customer_id, channel_id, transaction_id, store_id, status, opened_at, earned_points, redeemed_points)
        values ($1, $2, $3, $4, $5, $6, $7, 0, 0)
        """);

    private readonly Statement _close = new(connection, """
        update sessions
           set status = $2, finalized_at = $3, final_amount = $4, earned_points = $5, redeemed_points = $6, new_balance = $7, receipt_id = $8
         where pdi_session_id = $1
        """);

    public Session? Find(string pdiSessionId) => _find.First(Read, pdiSessionId);

    public void Open(Session session) => _open.Run(
        session.PdiSessionId,
        session.CustomerId,
        session.ChannelId,
        session.TransactionId,
        session.StoreId,
        session.Status,
        session.OpenedAt);

    public void Close(Session session) => _close.Run(
        session.PdiSessionId,
        session.Status,
        session.FinalizedAt,
        session.FinalAmount,
        session.EarnedPoints,
        session.RedeemedPoints,
        session.NewBalance,
        session.ReceiptId);

    public void Dispose()
    {
        _find.Dispose();
        _open.Dispose();
        _close.Dispose();
    }

    public static Session Read(SqliteDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetString(2),
        row.GetString(3),
        row.IsDBNull(4) ? null : row.GetString(4),
        row.GetString(5),
        row.GetDateTimeOffset(6),
        row.IsDBNull(7) ? null : row.GetDateTimeOffset(7),
        row.IsDBNull(8) ? null : row.GetDecimal(8),
        row.GetInt64(9),
        row.GetInt64(10),
        row.IsDBNull(11) ? null : row.GetInt64(11),
        row.IsDBNull(12) ? null : row.GetString(12));
}
