using System.Text.RegularExpressions;
using LoyaltyService.Commands;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Faults;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>An operator's manual work on the database: dry runs, rollbacks, backups and restores.</summary>
public sealed partial class DatabaseTests
{
    private static readonly string[] Migrations =
        [.. typeof(Migrator).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("postgres/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Every_migration_rolls_back_as_documented_and_runs_again()
    {
        var notes = Note().Matches(Repository.ReadAllText("docs/migrations.md")).ToDictionary(note => $"postgres/{note.Groups["name"].Value}.sql", note => note.Groups["sql"].Value);
        Assert.Equal(Migrations, notes.Keys.Order(StringComparer.Ordinal));
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres, migrate: false);
        var books = new Books(database, Backend.Postgres);
        await books.ExecuteAsync("drop schema public cascade", "create schema public");
        // The schema after each migration.
        var schemas = new List<string>();
        foreach (var migration in Migrations)
        {
            schemas.Add(await SchemaAsync(database));
            using var script = new StreamReader(typeof(Migrator).Assembly.GetManifestResourceStream(migration)!);
            await books.ExecuteAsync(await script.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        schemas.Add(await SchemaAsync(database));
        await books.ExecuteAsync("drop schema public cascade", "create schema public");
        Migrator.Run(database.Parsed, NullLogger.Instance);
        await using (var app = await LoyaltyApp.StartAsync(Backend.Postgres, database: database))
        {
            await SellAsync(app, 3);
            await app.MakeOlderAsync(TimeSpan.FromDays(32));
            await app.PostAsync("/ops/jobs/archive-sessions/run", "");
            await Eventually.BecomesTrueAsync(async () => await books.CountAsync("select count(*) from sessions_archive") == 3, "the sales are in the archive");
        }

        // Rolls back and reapplies the last migration, then the last two, and so on to all of them.
        for (var kept = Migrations.Length - 1; kept >= 0; kept--)
        {
            await books.ExecuteAsync([.. Migrations.Skip(kept).Reverse().Select(migration => notes[migration])]);
            Assert.Equal(schemas[kept], await SchemaAsync(database));
            Migrator.Run(database.Parsed, NullLogger.Instance);
            Assert.Equal(schemas[^1], await SchemaAsync(database));
            // The rollback moved the archived sessions back, and the sessions table still exists.
            if (kept is 1 or 2)
                await books.AreClosedAsync(sales: 3);
        }
    }

    [Theory]
    [InlineData(Backend.Postgres)]
    [InlineData(Backend.Sqlite)]
    public async Task A_dry_run_lists_the_migrations_and_changes_nothing(Backend backend)
    {
        await using var database = await TestDatabase.CreateAsync(backend, migrate: false);
        if (backend is Backend.Postgres)
            await new Books(database, backend).ExecuteAsync("drop schema public cascade", "create schema public");

        var before = await DryRunAsync(database);
        // Not even the table of applied migrations.
        Assert.Equal("", await TablesAsync(database));
        var again = await DryRunAsync(database);
        Migrator.Run(database.Parsed, NullLogger.Instance);
        var after = await DryRunAsync(database);

        Assert.Equal(before, again);
        Assert.Contains($"-- {backend.ToString().ToLowerInvariant()}/0001-sessions.sql\n", before, StringComparison.Ordinal);
        Assert.Contains("create table sessions", before, StringComparison.OrdinalIgnoreCase);
        var number = typeof(Migrator).Assembly.GetManifestResourceNames().Count(name => name.StartsWith($"{backend.ToString().ToLowerInvariant()}/", StringComparison.Ordinal));
        Assert.EndsWith($"-- {number} migrations would be run; nothing was changed.\n", before, StringComparison.Ordinal);
        Assert.Equal("-- The schema is up to date.\n", after);
    }

    [Fact]
    public async Task The_migration_command_fills_an_empty_database_or_reports_a_missing_one()
    {
        await using var pdi = await Simulator.StartAsync();
        await using var database = await TestDatabase.CreateAsync(Backend.Postgres, migrate: false);
        await new Books(database, Backend.Postgres).ExecuteAsync("drop schema public cascade", "create schema public");
        var nowhere = TestDatabase.At($"postgresql://loyalty@127.0.0.1:{FreePort.Find()}/loyalty");

        Assert.Equal($"-- {Migrations.Length} migrations would be run; nothing was changed.", (await RunAsync(database, "migrate", "--dry-run")).Succeeded().Split('\n')[^2]);
        Assert.Equal("", await TablesAsync(database));
        Assert.Equal("", (await RunAsync(database, "migrate")).Succeeded());
        Assert.Equal("-- The schema is up to date.\n", (await RunAsync(database, "migrate", "--dry-run")).Succeeded());
        var schema = await SchemaAsync(database);
        // The Job of a release without migrations.
        (await RunAsync(database, "migrate")).Succeeded();
        Assert.Equal(schema, await SchemaAsync(database));

        foreach (var words in new string[][] { ["migrate"], ["migrate", "--dry-run"] })
        {
            var without = await RunAsync(nowhere, words);
            Assert.Equal(ExitCodes.Unavailable, without.ExitCode);
            Assert.Contains(without.Output.Split('\n'), static line => line.StartsWith("The database cannot be ", StringComparison.Ordinal));
        }

        Task<Ran> RunAsync(TestDatabase at, params string[] words) =>
            Ran.ToItsEndAsync("dotnet", [typeof(Program).Assembly.Location, .. words], ServiceEnvironment.Of(at, pdi.Address, 0, new() { ["AUTO_MIGRATE"] = "false" }));
    }

    [Fact]
    public async Task A_backup_under_load_restores_every_row_and_keeps_the_invariants()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        await SellAsync(app, 2);
        await app.Pdi.OutageAsync();
        await SellAsync(app, 1, status: 202);
        // Changes between the count and the dump: the worker settles a sale and a job reports.
        using var tools = await StandIn.ForAsync("pg_dump", $"""
            psql --no-psqlrc --quiet --dbname '{app.Database.Url}' --set ON_ERROR_STOP=1 --command "
              begin; delete from pdi_work; delete from session_events; delete from sessions;
              insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until) values ('x', now(), false, now(), now()); commit" || exit
            "$REAL" "$@"
            """);

        var rehearsed = (await RehearseAsync(app.Database, tools)).Succeeded();

        Assert.Contains("The invariants hold.", rehearsed, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^pdi_work +1 +1$", rehearsed);
        Assert.Matches(@"(?m)^sessions +3 +3$", rehearsed);
        Assert.Matches(@"(?m)^job_runs +0 +0$", rehearsed);
        var books = new Books(app.Database, Backend.Postgres);
        Assert.Equal(1, await books.CountAsync("select count(*) from job_runs"));
        Assert.Equal(0, await books.CountAsync("select count(*) from pg_database where datname like 'loyalty_rehearsal%'"));
    }

    [Fact]
    public async Task A_rehearsal_names_the_table_with_missing_rows()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        await SellAsync(app, 1);
        using var tools = await StandIn.ForAsync("pg_restore", """
            "$REAL" "$@"
            echo 'delete from public.schema_versions;'
            """);

        var rehearsed = await RehearseAsync(app.Database, tools);

        Assert.NotEqual(0, rehearsed.ExitCode);
        Assert.Matches($@"(?m)^schema_versions +{Migrations.Length} +0  ROW COUNTS DIFFER$", rehearsed.Output);
        Assert.Matches(@"(?m)^sessions +1 +1$", rehearsed.Output);
    }

    [Fact]
    public async Task A_restore_needs_an_empty_database_and_leaves_it_empty_on_failure()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var books = new Books(app.Database, Backend.Postgres);
        await SellAsync(app, 1);
        await using var target = await TestDatabase.CreateAsync(Backend.Postgres, migrate: false);
        var restored = new Books(target, Backend.Postgres);
        await restored.ExecuteAsync("drop schema public cascade", "create schema public");
        var folder = Directory.CreateTempSubdirectory("backup-test-");
        string whole = Path.Combine(folder.FullName, "whole"), cut = Path.Combine(folder.FullName, "cut"), wrong = Path.Combine(folder.FullName, "wrong");
        (await RunAsync("backup.sh", app.Database, whole)).Succeeded();
        await File.WriteAllBytesAsync(cut, (await File.ReadAllBytesAsync(whole, TestContext.Current.CancellationToken))[..^500], TestContext.Current.CancellationToken);
        await books.ExecuteAsync("update sessions set version = version + 1");
        (await RunAsync("backup.sh", app.Database, wrong)).Succeeded();

        Assert.NotEqual(0, (await RunAsync("restore.sh", target, cut)).ExitCode);
        Assert.Equal("", await SchemaAsync(target));
        var broken = await RunAsync("restore.sh", target, wrong);
        Assert.NotEqual(0, broken.ExitCode);
        Assert.Contains("I5: a session does not match its last event", broken.Output, StringComparison.Ordinal);
        Assert.Equal("", await SchemaAsync(target));
        Assert.Contains("The invariants hold.", (await RunAsync("restore.sh", target, whole)).Succeeded(), StringComparison.Ordinal);
        await restored.AreClosedAsync(sales: 1);

        // A second restore finds it full.
        var again = await RunAsync("restore.sh", target, whole);
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains("The database is not empty", again.Output, StringComparison.Ordinal);
        await restored.AreClosedAsync(sales: 1);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_broken_invariant_is_named()
    {
        await using var app = await LoyaltyApp.StartAsync(Backend.Postgres);
        var books = new Books(app.Database, Backend.Postgres);
        await SellAsync(app, 2);
        await app.Pdi.OutageAsync();
        await SellAsync(app, 1, status: 202);
        Assert.Equal("The invariants hold.\n", (await CheckAsync()).Succeeded());

        await IsNamedAsync("I5: a session has a gap in its versions", "delete from session_events where event = 'calculated'");
        await IsNamedAsync("I5: a session has an illegal transition", "update session_events set event = 'expired' where event = 'calculated'");
        await IsNamedAsync("I5: a session does not start with created", "update session_events set event = 'identified' where version = 1");
        await IsNamedAsync("I5: a session does not match its last event", "update sessions set version = version + 1");
        await IsNamedAsync("an event has no session", "delete from sessions where status = 'finalized'");
        await IsNamedAsync("I1, I2: a session was finalized more than once, or with other points", "update sessions set earned_points = earned_points + 1 where status = 'finalized'");
        await IsNamedAsync("I3, I8: a finalizing session is not in the queue for PDI", "delete from pdi_work");
        await IsNamedAsync("the queue for PDI has an item without an open session", "insert into pdi_work (session_id, created_at, due_at) values (gen_random_uuid(), now(), now())");
        await IsNamedAsync("I6: a session is both current and archived", "insert into sessions_archive select now(), * from sessions");
        Assert.Equal("The invariants hold.\n", (await CheckAsync()).Succeeded());

        // A copy repairs each violation.
        async Task IsNamedAsync(string rule, string damage)
        {
            string[] tables = ["sessions", "session_events", "pdi_work", "sessions_archive"];
            await books.ExecuteAsync([.. tables.Select(table => $"create table copy_{table} as table {table}"), damage]);
            var found = await CheckAsync();
            Assert.True(found.ExitCode != 0 && found.Output.Contains(rule, StringComparison.Ordinal), $"{damage}: {found.Output}");
            await books.ExecuteAsync([.. tables.SelectMany(table => new[] { $"truncate {table}", $"insert into {table} table copy_{table}", $"drop table copy_{table}" })]);
        }

        Task<Ran> CheckAsync() => Ran.ToItsEndAsync(
            "psql", ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", app.Database.Url, "--file", Repository.PathOf("deploy/database/invariants.sql")]);
    }

    [Fact]
    public void The_invariants_list_the_services_transitions()
    {
        var known = Step().Matches(Repository.ReadAllText("deploy/database/invariants.sql")).Select(step => (step.Groups["was"].Value, step.Groups["event"].Value, step.Groups["status"].Value)).Order();

        var legal = from status in Enum.GetValues<SessionStatus>()
                    from happens in Enum.GetValues<SessionEvent>()
                    where SessionTransitions.Allows(status, happens)
                    select (status.ToText(), happens.ToText(), SessionTransitions.Apply(status, happens).ToText());
        Assert.Equal(legal.Order(), known);
    }

    private static async Task SellAsync(LoyaltyApp app, int times, int status = 200)
    {
        for (var number = 0; number < times; number++)
        {
            var sale = await new Sale(app).IdentifiedAsync();
            await sale.CalculateAsync();
            Assert.Equal(status, (await sale.FinalizeAsync()).Status);
        }
    }

    private static Task<Ran> RehearseAsync(TestDatabase database, StandIn tools) =>
        Ran.ToItsEndAsync(Repository.PathOf("deploy/database/rehearse.sh"), [], new Dictionary<string, string?> { ["DATABASE_URL"] = database.Url, ["PATH"] = tools.Path });

    private static Task<Ran> RunAsync(string script, TestDatabase database, string file) =>
        Ran.ToItsEndAsync(Repository.PathOf($"deploy/database/{script}"), [file], new Dictionary<string, string?> { ["DATABASE_URL"] = database.Url });

    private static async Task<string> DryRunAsync(TestDatabase database)
    {
        await using var output = new StringWriter { NewLine = "\n" };
        await MigrateCommand.DryRunAsync(database.Parsed, output);
        return output.ToString();
    }

    /// <summary>The names of all tables; empty for a missing file.</summary>
    private static async Task<string> TablesAsync(TestDatabase database)
    {
        if (database.Parsed is SqliteUrl sqlite)
            return File.Exists(sqlite.SqlitePath) ? "a file" : "";
        await using var connection = await database.OpenPostgresAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "select coalesce(string_agg(tablename, ', '), '') from pg_tables where schemaname = 'public'";
        return (string)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Everything that a migration can create: columns, indexes, constraints.</summary>
    private static async Task<string> SchemaAsync(TestDatabase database)
    {
        await using var connection = await database.OpenPostgresAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = """
            select coalesce(string_agg(line, E'\n' order by line), '') from (
                select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) from information_schema.columns
                 where table_schema = 'public'
                union all select indexdef from pg_indexes where schemaname = 'public'
                union all select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
                 where connamespace = 'public'::regnamespace
                union all select relname || ' ' || array_to_string(reloptions, ', ') from pg_class
                 where relnamespace = 'public'::regnamespace and reloptions is not null
                union all select format('%s.%s statistics %s', attrelid::regclass, attname, attstattarget) from pg_attribute join pg_class on oid = attrelid
                 where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped and attstattarget >= 0) as schema (line)
             where line not like '%schema\_versions%' and line not like '%schemaversions%'
            """;
        return (string)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Puts a script on the path before the real program, which it can run as $REAL.</summary>
    private sealed class StandIn : IDisposable
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("tools-test-");

        public string Path => $"{folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}";

        public static async Task<StandIn> ForAsync(string program, string script)
        {
            var tools = new StandIn();
            var real = tools.Path.Split(':').Skip(1).Select(path => System.IO.Path.Combine(path, program)).First(File.Exists);
            var file = System.IO.Path.Combine(tools.folder.FullName, program);
            await File.WriteAllTextAsync(file, $"#!/bin/sh\nREAL='{real}'\n{script}\n");
            (await Ran.ToItsEndAsync("chmod", ["+x", file])).Succeeded();
            return tools;
        }

        public void Dispose() => folder.Delete(recursive: true);
    }

    [GeneratedRegex(@"^## (?<name>[0-9]{4}-[a-z-]+)\n(?:(?!^## )[\s\S])*?^```sql\n(?<sql>[\s\S]+?)^```", RegexOptions.Multiline)]
    private static partial Regex Note();

    [GeneratedRegex(@"^ *\('(?<was>[a-z_]+)', '(?<event>[a-z_]+)', '(?<status>[a-z_]+)'\)", RegexOptions.Multiline)]
    private static partial Regex Step();
}
