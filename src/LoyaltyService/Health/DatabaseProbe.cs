using System.Data.Common;
using LoyaltyService.Observability;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Health;

/// <summary>Whether the database takes work: PostgreSQL or the embedded one, whichever is there.</summary>
internal sealed class DatabaseProbe(TimeProvider clock, HealthLimits limits, PostgresDatabase? postgres = null, SqliteDatabase? sqlite = null)
{
    // On for a standby too. Whoever is told so of a transaction that may write by itself would be told so of a sale.
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
            // No connection came free in time. If others got answers meanwhile, the database works and has more work than it can take:
            // a replica that was taken out for that would leave its load to the others.
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
