using Microsoft.Data.Sqlite;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

/// <summary>The queries with which tests prove that each sale took effect once.</summary>
internal sealed class LedgerQueries(SqliteConnection connection) : IDisposable
{
    // Session ids start with their creation time, so they sort by age.
    private const string Rows = $"""
        select {SessionTable.Columns},
               (select count(*) from finalizes f where f.pdi_session_id = s.pdi_session_id),
               (select max(requested_earned_points) from finalizes f where f.pdi_session_id = s.pdi_session_id)
          from sessions s
        """;

    private const string NewestFirst = "order by pdi_session_id desc limit $1";

    private readonly Statement _newest = new(connection, $"{Rows} {NewestFirst}");
    private readonly Statement _bySession = new(connection, $"{Rows} where pdi_session_id = $2 {NewestFirst}");
    private readonly Statement _byTransaction = new(connection, $"{Rows} where transaction_id = $2 {NewestFirst}");
    private readonly Statement _byChannel = new(connection, $"{Rows} where channel_id = $2 {NewestFirst}");

    private readonly Statement _byTransactionAndChannel =
        new(connection, $"{Rows} where transaction_id = $2 and channel_id = $3 {NewestFirst}");

    private readonly Statement _summary = new(connection, """
        select (select count(*) from sessions),
               (select count(*) from sessions where status = 'open'),
               (select count(*) from sessions where status = 'finalized'),
               (select count(*) from (select 1 from finalizes group by pdi_session_id having count(*) > 1)),
               (select coalesce(sum(earned_points), 0) from finalizes),
               (select coalesce(sum(redeemed_points), 0) from finalizes)
        """);

    /// <summary>Returns the sessions that match every given filter, newest first.</summary>
    public List<LedgerSession> Sessions(string? pdiSessionId, string? transactionId, string? channelId, int limit) =>
        (pdiSessionId, transactionId, channelId) switch
        {
            ({ } session, _, _) => [.. _bySession.All(Read, limit, session).Where(row => Matches(row.Session, transactionId, channelId))],
            (null, { } transaction, { } channel) => _byTransactionAndChannel.All(Read, limit, transaction, channel),
            (null, { } transaction, null) => _byTransaction.All(Read, limit, transaction),
            (null, null, { } channel) => _byChannel.All(Read, limit, channel),
            _ => _newest.All(Read, limit),
        };

    public LedgerSummary Summary() => _summary.First(row => new LedgerSummary(
        row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5)))!;

    public void Dispose()
    {
        _newest.Dispose();
        _bySession.Dispose();
        _byTransaction.Dispose();
        _byChannel.Dispose();
        _byTransactionAndChannel.Dispose();
        _summary.Dispose();
    }

    private static bool Matches(Session session, string? transactionId, string? channelId) =>
        (transactionId is null || transactionId == session.TransactionId) && (channelId is null || channelId == session.ChannelId);

    // Two columns follow those of the session.
    private static LedgerSession Read(SqliteDataReader row) =>
        new(
            SessionTable.Read(row),
            row.GetInt64(SessionTable.ColumnCount),
            row.IsDBNull(SessionTable.ColumnCount + 1) ? null : row.GetInt64(SessionTable.ColumnCount + 1));
}

internal sealed record LedgerSession(Session Session, long Finalizes, long? RequestedEarnedPoints);

internal sealed record LedgerSummary(
    long Sessions,
    long OpenSessions,
    long Finalized,
    long DoubleFinalized,
    long PointsEarned,
    long PointsRedeemed);
