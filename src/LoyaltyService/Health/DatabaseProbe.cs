using System.Data.Common;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.Health;

/// <summary>Whether the database takes work: PostgreSQL or the embedded one, whichever is there.</summary>
internal sealed class DatabaseProbe(TimeProvider clock, HealthLimits limits, PostgresDatabase? postgres = null, SqliteDatabase? sqlite = null)
{
    // Serializable isolation keeps books about every reader; this one reads nothing, and shall cost nothing.
    private const string Select = "begin isolation level read committed read only; select 1; commit";

    public async Task<CheckStatus> LookAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        try
        {
            if (postgres is not null)
                await postgres.ExecuteAsync(Select, [], cancellationToken);
            else
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
