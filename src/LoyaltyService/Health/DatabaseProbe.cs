using System.Data.Common;
using LoyaltyService.Observability;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Health;

/// <summary>Checks whether the database accepts work: PostgreSQL or the embedded one.</summary>
internal sealed class DatabaseProbe(TimeProvider clock, HealthLimits limits, PostgresDatabase? postgres = null, SqliteDatabase? sqlite = null)
{
    // On for a standby too. If this transaction is read-only, so is a sale's.
    private const string IsReadOnly = "select current_setting('transaction_read_only')::boolean";

    public async Task<CheckStatus> LookAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        try
        {
            if (postgres is not null)
                return await postgres.ListReadCommittedAsync(IsReadOnly, [], static row => row.GetBoolean(0), cancellationToken) is [true] ? CheckStatus.Down : CheckStatus.Up;
            await sqlite!.ReadAsync(SelectOne, cancellationToken);
            return CheckStatus.Up;
        }
        catch (Exception broken) when (broken is DatabaseUnavailableException or DbException)
        {
            return CheckStatus.Down;
        }
        catch (Exception late) when (late is OverloadedException or OperationCanceledException)
        {
            // No connection became free in time. If other callers got answers meanwhile, the database works and is overloaded: taking this replica out would
            // move its load to the others.
            return postgres?.LastAnswer is { } answered && answered >= started - (long)(limits.SampleEvery.TotalSeconds * clock.TimestampFrequency)
                ? CheckStatus.Degraded
                : CheckStatus.Down;
        }
    }

    public (long Idle, long Used) Connections() => postgres?.CountConnections() ?? default;

    private static object? SelectOne(SqliteConnection connection)
    {
        using var command = connection.Command("select 1");
        return command.ExecuteScalar();
    }
}
