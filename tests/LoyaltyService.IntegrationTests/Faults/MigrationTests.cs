using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Storage;

namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>A deployment on a database that is behind: many replicas at once, one that dies in the middle, and the release before beside them.</summary>
public sealed class MigrationTests : IAsyncLifetime
{
    private static readonly int Migrations = typeof(Migrator).Assembly.GetManifestResourceNames().Count(name => name.StartsWith("postgres/", StringComparison.Ordinal));

    private Simulator pdi = null!;
    private TestDatabase database = null!;
    private Books books = null!;

    public async ValueTask InitializeAsync()
    {
        pdi = await Simulator.StartAsync();
        database = await TestDatabase.CreateAsync(Backend.Postgres, migrate: false);
        books = new Books(database, Backend.Postgres);
        // The database may have been used before.
        await books.ExecuteAsync("drop schema public cascade", "create schema public");
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        await pdi.DisposeAsync();
    }

    [Fact]
    public async Task Of_five_replicas_that_start_at_once_one_migrates_and_all_serve()
    {
        await using var replicas = await Fleet.StartAsync(5, database, pdi.Address);

        for (var number = 0; number < replicas.Size; number++)
            await new Till(() => replicas[number].Address, TimeSpan.FromSeconds(60)).SellAsync("CUST-12345", $"TXN-{number}");
        Assert.Equal(Migrations, await books.CountAsync("select count(*) from schema_versions"));
        Assert.Equal(Migrations, await books.CountAsync("select count(distinct scriptname) from schema_versions"));
        await books.AreClosedAsync(replicas.Size);
    }

    [Fact]
    public async Task A_migration_that_dies_in_the_middle_leaves_nothing_and_runs_again()
    {
        // A table that the third migration creates half way, in a transaction that is still open: the migration stops there.
        await using (var inTheWay = await database.OpenPostgresAsync())
        {
            await using var begin = inTheWay.CreateCommand();
            begin.CommandText = "begin; create table sessions_archive (id uuid)";
            await begin.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await using var dying = ServiceProcess.LaunchService(database, pdi.Address);
            await Eventually.BecomesTrueAsync(
                async () => await books.CountAsync("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%create table sessions_archive%'") == 1,
                "the migration is in the middle");
            await dying.KillAsync();
        }

        await Eventually.BecomesTrueAsync(
            async () => await books.CountAsync("select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()") == 0, "the server has noticed");
        // The two before it.
        Assert.Equal(2, await books.CountAsync("select count(*) from schema_versions"));
        Assert.Equal(0, await books.CountAsync("select count(*) from information_schema.columns where table_name = 'sessions' and column_name = 'failed_at'"));

        await using var next = await ServiceProcess.StartServiceAsync(database, pdi.Address);
        await new Till(() => next.Address, TimeSpan.FromSeconds(60)).SellAsync("CUST-12345", "TXN-1");
        Assert.Equal(Migrations, await books.CountAsync("select count(*) from schema_versions"));
        await books.AreClosedAsync(sales: 1);
    }

    [Fact]
    public async Task The_last_release_goes_on_working_on_the_schema_of_this_one_and_beside_it()
    {
        var program = await LastRelease.BuildAsync();
        Assert.SkipWhen(program is null, "The last release cannot be built without the repository's history.");
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres, database: database, pdi: pdi);
        await using var before = await ServiceProcess.StartBuildAsync(program, database, pdi.Address, new() { ["AUTO_MIGRATE"] = "false" });
        Assert.Equal(Migrations, await books.CountAsync("select count(*) from schema_versions"));

        await new Till(() => before.Address, TimeSpan.FromSeconds(60)).SellAsync("CUST-12345", "TXN-1");
        // Of three calls each: the first sale begins there, the second here.
        var call = 0;
        var both = new Till(() => call++ % 2 == 0 ? before.Address : app.Address, TimeSpan.FromSeconds(60));
        var began = await both.SellAsync("CUST-12345", "TXN-2");
        await both.SellAsync("CUST-12345", "TXN-3");
        await books.AreClosedAsync(sales: 3);

        // It archives, too, and both find what is in the archive.
        await app.MakeOlderAsync(TimeSpan.FromDays(32));
        await ArchiveAsync(before.Address);
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from sessions_archive") == 3, "all are in the archive");
        foreach (var service in new[] { before.Address, app.Address })
        {
            var session = await new Till(() => service, TimeSpan.FromSeconds(60)).ReadAsync($"/loyalty/sessions/{began.GetProperty("sessionId").GetString()}");
            Assert.Equal("finalized", session.GetProperty("status").GetString());
        }

        async Task ArchiveAsync(Uri service)
        {
            using var response = await app.Http.PostAsync(new Uri(service, "/ops/jobs/archive-sessions/run"), null, TestContext.Current.CancellationToken);
            Assert.Equal(System.Net.HttpStatusCode.Accepted, response.StatusCode);
        }
    }

    [Fact]
    public async Task The_release_before_the_last_migration_goes_on_working_and_the_new_one_takes_over_what_it_did()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres, database: database, pdi: pdi);
        var finalized = await ReleaseBefore.CreateAsync(books, "TXN-FINALIZED");
        var refused = await ReleaseBefore.CreateAsync(books, "TXN-REFUSED");
        await ReleaseBefore.FinalizeAsync(books, finalized);
        await ReleaseBefore.FailAsync(books, refused);

        Assert.Equal("finalized", await StatusAsync(finalized));
        Assert.Equal("failed", await StatusAsync(refused));
        // The release before knows no time of failing; the archive makes do without.
        await app.MakeOlderAsync(TimeSpan.FromDays(32));
        Assert.Equal(202, (await app.PostAsync("/ops/jobs/archive-sessions/run", "")).Status);
        await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from sessions_archive") == 2, "both are in the archive");
        Assert.Equal("finalized", await StatusAsync(finalized));
        Assert.Equal("failed", await StatusAsync(refused));

        async Task<string?> StatusAsync(Guid id) =>
            (await (new Sale(app) { SessionId = $"sess_{id:N}" }).StatusAsync()).Json.GetProperty("status").GetString();
    }
}
