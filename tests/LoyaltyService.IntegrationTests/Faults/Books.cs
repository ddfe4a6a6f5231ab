using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Storage;
using Microsoft.Data.Sqlite;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// The books of both sides after the dust has settled: what PDI committed against what stands here (invariants I1 to I6), and the
/// passing of time, by moving what the database's clock is compared with. Looks at the database directly, so the service must be down
/// on SQLite.
/// </summary>
internal sealed class Books(TestDatabase database, Backend backend)
{
    /// <summary>All leases and holds are over, as if their holders had been away long enough.</summary>
    public Task LeasesRunOutAsync() => ExecuteAsync(
        "update pdi_work set lease_until = null, due_at = created_at", "update sessions set busy_until = null",
        "update job_runs set lease_until = started_at");

    /// <summary>Nothing is in flight, every session is finalized, and its events are a legal path without gaps.</summary>
    public async Task AreClosedAsync(int sales)
    {
        Assert.Equal(0, await CountAsync("select count(*) from pdi_work"));
        Assert.Equal(sales, await CountAsync("select count(*) from sessions"));
        Assert.Equal(0, await CountAsync("select count(*) from sessions where status <> 'finalized'"));
        // I5: as many events as versions, and the last one is the session's status.
        Assert.Equal(0, await CountAsync("select count(*) from sessions s where version <> (select count(*) from session_events e where e.session_id = s.id)"));
        Assert.Equal(0, await CountAsync("select count(*) from sessions s where version <> (select max(e.version) from session_events e where e.session_id = s.id)"));
        Assert.Equal(0, await CountAsync("select count(*) from sessions s where 1 <> (select count(*) from session_events e where e.session_id = s.id and e.event = 'finalized')"));
        Assert.Equal(0, await CountAsync("select count(*) from sessions s where status <> (select e.status from session_events e where e.session_id = s.id and e.version = s.version)"));
    }

    /// <summary>PDI has the same sales, each committed once, with the same points (I1, I2, I3).</summary>
    public async Task AgreeWithPdiAsync(Simulator pdi, int sales)
    {
        var summary = await pdi.SummaryAsync();
        Assert.Equal(sales, summary.GetProperty("finalized").GetInt64());
        Assert.Equal(0, summary.GetProperty("doubleFinalized").GetInt64());
        // PDI would forgive a second key, since it knows the session; that is its kindness and not our promise.
        Assert.Equal(sales, await pdi.KeysAsync("finalize"));
        Assert.Equal(await CountAsync("select coalesce(sum(earned_points), 0) from sessions"), summary.GetProperty("pointsEarned").GetInt64());
        Assert.Equal(await CountAsync("select coalesce(sum(redeemed_points), 0) from sessions"), summary.GetProperty("pointsRedeemed").GetInt64());
    }

    public async Task<long> CountAsync(string statement)
    {
        if (backend is Backend.Sqlite)
        {
            await using var file = await OpenSqliteAsync();
            using var query = file.CreateCommand();
            query.CommandText = statement;
            return Convert.ToInt64(query.ExecuteScalar());
        }

        await using var connection = await database.OpenPostgresAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        return Convert.ToInt64(await command.ExecuteScalarAsync());
    }

    public async Task ExecuteAsync(params string[] statements)
    {
        if (backend is Backend.Sqlite)
        {
            await using var file = await OpenSqliteAsync();
            foreach (var statement in statements)
                file.Execute(statement);
            return;
        }

        await using var connection = await database.OpenPostgresAsync();
        foreach (var statement in statements)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = statement;
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task<SqliteConnection> OpenSqliteAsync()
    {
        var path = ((Configuration.SqliteUrl)database.Parsed).SqlitePath;
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
