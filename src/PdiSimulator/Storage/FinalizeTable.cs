using Microsoft.Data.Sqlite;

namespace PdiSimulator.Storage;

internal sealed class FinalizeTable(SqliteConnection connection) : IDisposable
{
    private readonly Statement _add = new(connection, """
        insert into finalizes (pdi_session_id, idempotency_key, final_amount, requested_earned_points, earned_points, redeemed_points, committed_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning number
        """);

    /// <summary>Returns the sequence number for the receipt.</summary>
    public long Add(CommittedFinalize finalize) => _add.First(
        row => row.GetInt64(0),
        finalize.PdiSessionId,
        finalize.IdempotencyKey,
        finalize.FinalAmount,
        finalize.RequestedEarnedPoints,
        finalize.EarnedPoints,
        finalize.RedeemedPoints,
        finalize.CommittedAt);

    public void Dispose() => _add.Dispose();
}

internal sealed record CommittedFinalize(
    string PdiSessionId,
    string IdempotencyKey,
    decimal FinalAmount,
    long RequestedEarnedPoints,
    long EarnedPoints,
    long RedeemedPoints,
    DateTimeOffset CommittedAt);
