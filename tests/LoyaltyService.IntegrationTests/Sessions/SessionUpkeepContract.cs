using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>The contract of the jobs' batches, on PostgreSQL and on SQLite.</summary>
public abstract class SessionUpkeepContract(Backend backend) : IAsyncLifetime
{
    protected static readonly TimeSpan Overdue = TimeSpan.FromHours(-1);
    private static readonly TimeSpan Alive = TimeSpan.FromHours(24);

    private StoreUnderTest under = null!;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    internal StoreUnderTest Under => under;

    public async ValueTask InitializeAsync() => under = await StoreUnderTest.CreateAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await under.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Overdue_sessions_fail_as_expired_with_an_event()
    {
        var pending = await CreateAsync(Overdue);
        await under.Work.TryAddAsync(pending, 10, Token);
        var active = await IdentifiedAsync(Overdue);
        var calculated = await SaveAsync((await IdentifiedAsync(Overdue)).Calculated(450, "pdi", 150.00m, Causes.Request));

        var changed = await ExpireAllAsync();

        Assert.Equal(3, changed);
        foreach (var before in new[] { pending, active, calculated })
        {
            var after = await FindAsync(before.Id);
            Assert.Equal((SessionStatus.Failed, before.Version + 1, false), (after.Status, after.Version, after.IsBusy));
            Assert.Equal(new SessionFailure(SessionFailure.Expired, null, null), after.Failure);
            var last = (await under.Store.EventsAsync(before.Id, Token))[^1];
            Assert.Equal((before.Version + 1, "expired", "failed", Causes.Job, before.EarnedPoints), (last.Version, last.Event, last.Status, last.Cause, last.EarnedPoints));
        }

        Assert.False(await under.HasWorkAsync(pending.Id));
    }

    [Fact]
    public async Task Finalizing_closed_and_current_sessions_do_not_expire()
    {
        var finalizing = await FinalizingAsync(Overdue);
        var finalized = await FinalizedAsync(Overdue);
        var failed = await SaveAsync((await CreateAsync(Overdue)).IdentifyRejected(new PdiRejection("UNKNOWN_CUSTOMER", "No."), Causes.Request));
        var alive = await IdentifiedAsync(Alive);

        var changed = await ExpireAllAsync();

        Assert.Equal(0, changed);
        foreach (var before in new[] { finalizing, finalized, failed, alive })
            Assert.Equal((before.Status, before.Version), ((await FindAsync(before.Id)).Status, (await FindAsync(before.Id)).Version));
        Assert.True(await under.HasWorkAsync(finalizing.Id));
    }

    [Fact]
    public async Task A_batch_is_limited_and_the_walk_visits_each_row_once()
    {
        var sessions = new List<Session>();
        for (var number = 0; number < 7; number++)
            sessions.Add(number % 2 == 0 ? await CreateAsync(Overdue) : await FinalizedAsync(Overdue));

        var batches = new List<int>();
        var from = WalkPosition.Start;
        while (await under.Upkeep.ExpireAsync(from, TimeProvider.System.GetUtcNow(), 2, TimeSpan.Zero, Token) is { Reached: { } reached } batch)
        {
            batches.Add(batch.Changed);
            from = WalkPosition.Parse(reached.ToString())!;
        }

        Assert.Equal(4, batches.Count);
        Assert.Equal(4, batches.Sum());
    }

    [Fact]
    public async Task An_expired_session_is_not_expired_again()
    {
        var session = await CreateAsync(Overdue);

        Assert.Equal(1, await ExpireAllAsync());
        Assert.Equal(0, await ExpireAllAsync());
        Assert.Equal(2, (await FindAsync(session.Id)).Version);
    }

    [Fact]
    public async Task An_archived_session_is_found_unchanged_and_blocks_its_duplicate()
    {
        var finalized = await FinalizedAsync(Overdue);
        var before = await FindAsync(finalized.Id);
        var events = await under.Store.EventsAsync(finalized.Id, Token);

        var moved = await ArchiveAllAsync();
        var (again, created) = await under.Store.CreateAsync(Given.Session() with { SaleKey = finalized.SaleKey }, Alive, TimeSpan.Zero, Token);

        Assert.Equal(1, moved);
        Assert.Equal(before, await FindAsync(finalized.Id));
        Assert.Equal(events, await under.Store.EventsAsync(finalized.Id, Token));
        Assert.Equal((before, false), (again, created));
        Assert.Equal(0, await ArchiveAllAsync());
    }

    [Fact]
    public async Task Open_and_recently_closed_sessions_are_not_archived()
    {
        await CreateAsync(Overdue);
        await IdentifiedAsync(Overdue);
        // Closed last, after a long PDI outage.
        var finalizing = await FinalizingAsync(Overdue);
        await ClockPassesAsync(finalizing.CreatedAt);
        var before = TimeProvider.System.GetUtcNow();
        await ClockPassesAsync(before);
        await SaveAsync(finalizing.Finalized(Given.Receipt(), Causes.Worker));

        Assert.Equal(0, await ArchiveAllAsync(until: before));
        Assert.Equal(1, await ArchiveAllAsync());
    }

    [Fact]
    public async Task A_closed_session_is_archived_regardless_of_its_expiry()
    {
        var finalized = await FinalizedAsync(TimeSpan.FromDays(365));

        Assert.Equal(1, await ArchiveAllAsync());
        Assert.Equal(SessionStatus.Finalized, (await FindAsync(finalized.Id)).Status);
    }

    [Fact]
    public async Task Rows_that_the_archive_skips_are_visited_once()
    {
        for (var number = 0; number < 3; number++)
        {
            await FinalizingAsync(Overdue);
            await FinalizedAsync(Alive);
        }

        var batches = new List<int>();
        var from = WalkPosition.Start;
        while (await under.Upkeep.ArchiveAsync(from, TimeProvider.System.GetUtcNow().AddMinutes(1), 1, TimeSpan.Zero, Token) is { Reached: { } reached } batch)
        {
            batches.Add(batch.Changed);
            from = WalkPosition.Parse(reached.ToString())!;
        }

        Assert.Equal(6, batches.Count);
        Assert.Equal(3, batches.Sum());
    }

    [Fact]
    public async Task An_archived_session_accepts_no_change()
    {
        var active = await IdentifiedAsync(Overdue);
        await ExpireAllAsync();
        await ArchiveAllAsync();

        Assert.Null(await under.Store.SaveAsync(active.Calculated(1, "pdi", 1.00m, Causes.Request), Token));
        Assert.Equal(SessionStatus.Failed, (await FindAsync(active.Id)).Status);
    }

    private static Task ClockPassesAsync(DateTimeOffset time) => Eventually.BecomesTrueAsync(
        () => Task.FromResult(TimeProvider.System.GetUtcNow() > time.AddMilliseconds(2)), "the clock has moved");

    protected async Task<int> ArchiveAllAsync(DateTimeOffset? until = null)
    {
        var batch = await under.Upkeep.ArchiveAsync(WalkPosition.Start, until ?? TimeProvider.System.GetUtcNow().AddMinutes(1), 100, TimeSpan.Zero, Token);
        return batch.Changed;
    }

    internal async Task<Session> FinalizedAsync(TimeSpan lifetime) => await SaveAsync((await FinalizingAsync(lifetime)).Finalized(Given.Receipt(), Causes.Request));

    internal async Task<Session> FindAsync(Guid id) => await under.Store.FindAsync(id, Token) ?? throw new InvalidOperationException("It is gone.");

    protected async Task<int> ExpireAllAsync() => (await under.Upkeep.ExpireAsync(WalkPosition.Start, TimeProvider.System.GetUtcNow(), 100, TimeSpan.Zero, Token)).Changed;

    private async Task<Session> FinalizingAsync(TimeSpan lifetime) => await SaveAsync((await IdentifiedAsync(lifetime)).FinalizeRequested(Given.Intent(), Causes.Request));

    private async Task<Session> IdentifiedAsync(TimeSpan lifetime) => await SaveAsync((await CreateAsync(lifetime)).Identified(Given.Identity(), Causes.Request));

    internal async Task<Session> CreateAsync(TimeSpan lifetime) => (await under.Store.CreateAsync(Given.Session(), lifetime, TimeSpan.FromSeconds(7), Token)).Session;

    private async Task<Session> SaveAsync(SessionChange change) => await under.Store.SaveAsync(change, Token) ?? throw new InvalidOperationException("The change was refused.");
}

public sealed class PostgresSessionUpkeepTests() : SessionUpkeepContract(Backend.Postgres)
{
    // The number of sessions that each transaction expired.
    private const string Batches = """
        select string_agg(number::text, ',')
          from (select count(*) as number from sessions group by xmin, failed_at order by failed_at) as batches
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sale_repeated_during_archiving_finds_its_session(bool pdiIsOut)
    {
        var finalized = await FinalizedAsync(TimeSpan.FromHours(-1));
        await using var archiver = await Under.Database.OpenPostgresAsync();
        await using var transaction = await archiver.BeginTransactionAsync(Token);
        await using var move = new NpgsqlCommand(
            "with moved as (delete from sessions returning *) insert into sessions_archive select now(), moved.* from moved", archiver, transaction);
        Assert.Equal(1, await move.ExecuteNonQueryAsync(Token));

        var creating = Under.Store.CreateAsync(Given.Session() with { SaleKey = finalized.SaleKey }, TimeSpan.FromHours(24), pdiIsOut ? null : TimeSpan.Zero, Token);
        await OneWaitsForALockAsync("the insert waits for the archiver");
        await transaction.CommitAsync(Token);
        var (session, created) = await creating;

        Assert.Equal((finalized.Id, false), (session.Id, created));
        Assert.Equal("0", await ReadAsync("""
            select ((select count(*) from sessions) + (select count(*) from pdi_work)
                  + (select count(*) from session_events where session_id not in (select id from sessions_archive)))::text
            """));
    }

    /// <summary>A batch addresses rows by their position in the table, and an update moves a row.</summary>
    [Theory]
    [InlineData("status = 'failed', failure_reason = 'changed'", "failed changed 2, failed expired 2")]
    [InlineData("customer_name = 'changed'", "failed expired 3, failed expired 2")]
    public async Task A_session_that_changes_during_expiry_fails_once(string change, string both)
    {
        var held = await CreateAsync(Overdue);
        await CreateAsync(Overdue + TimeSpan.FromMinutes(1));
        await using var till = await Under.Database.OpenPostgresAsync();
        await using var transaction = await till.BeginTransactionAsync(Token);
        await using var update = new NpgsqlCommand($"update sessions set version = 2, {change} where id = '{held.Id}'", till, transaction);
        Assert.Equal(1, await update.ExecuteNonQueryAsync(Token));

        var expiring = ExpireAllAsync();
        await OneWaitsForALockAsync("the expiry waits for the till");
        await transaction.CommitAsync(Token);
        await expiring;
        // Each run starts before the previous one and meets the rows that it skipped.
        await ExpireAllAsync();

        Assert.Equal(both, await ReadAsync("select string_agg(concat_ws(' ', status, failure_reason, version), ', ' order by expires_at) from sessions"));
    }

    [Fact]
    public async Task A_call_runs_batches_in_separate_transactions()
    {
        for (var number = 0; number < 5; number++)
            await CreateAsync(Overdue);
        // A serializable batch would conflict with concurrent sales.
        await ReadAsync("""
            create function tell() returns trigger language plpgsql as 'begin new.customer_name := current_setting(''transaction_isolation''); return new; end';
            create trigger tell before update on sessions for each row execute function tell();
            """);

        var now = TimeProvider.System.GetUtcNow();
        var (done, nothing) = (default(WalkBatch), default(WalkBatch));
        try
        {
            done = await Under.Upkeep.ExpireAsync(WalkPosition.Start, now, 2, TimeSpan.FromMinutes(1), Token);
            nothing = await Under.Upkeep.ExpireAsync(done.Reached!, now, 2, TimeSpan.FromMinutes(1), Token);
        }
        finally
        {
            // Another test reuses the database.
            await ReadAsync("drop function tell cascade");
        }

        Assert.Equal(5, done.Changed);
        Assert.Equal(new WalkBatch(0, null), nothing);
        Assert.Equal("2,2,1", await ReadAsync(Batches));
        Assert.Equal("read committed", await ReadAsync("select string_agg(distinct customer_name, ', ') from sessions"));
    }

    [Fact]
    public async Task A_batch_limits_its_WAL_volume()
    {
        const int sessions = 100;
        for (var number = 0; number < sessions; number++)
            await CreateAsync(Overdue);
        // Each session writes slightly over 10 kB of WAL, so 40 write 400 kB.
        await ReadAsync("""
            create function write() returns trigger language plpgsql as
                'begin perform pg_logical_emit_message(true, ''test'', repeat(''x'', 10000)); return new; end';
            create trigger write before update on sessions for each row execute function write();
            """);

        WalkBatch first, rest;
        try
        {
            first = await Under.Upkeep.ExpireAsync(WalkPosition.Start, TimeProvider.System.GetUtcNow(), 1000, TimeSpan.Zero, Token);
            rest = await Under.Upkeep.ExpireAsync(first.Reached!, TimeProvider.System.GetUtcNow(), 1000, TimeSpan.FromMinutes(1), Token);
        }
        finally
        {
            // Another test reuses the database.
            await ReadAsync("drop function write cascade");
        }

        Assert.Equal((20, sessions - 20), (first.Changed, rest.Changed));
        // WAL from other databases on the server counts too and shrinks a batch.
        Assert.Matches("^20,20,(2[0-9]|3[0-9]),", await ReadAsync(Batches));
    }

    [Fact]
    public async Task A_failed_batch_keeps_the_earlier_ones()
    {
        var sessions = new List<Session>();
        for (var number = 0; number < 5; number++)
            sessions.Add(await CreateAsync(Overdue + TimeSpan.FromMinutes(number)));
        // The fourth session's event exists already.
        await ReadAsync($"""
            insert into session_events (session_id, version, event, status, cause, at, earned_points, redeemed_points)
            values ('{sessions[3].Id}', 2, 'expired', 'failed', 'job', now(), 0, 0)
            returning event
            """);

        await Assert.ThrowsAsync<PostgresException>(
            () => Under.Upkeep.ExpireAsync(WalkPosition.Start, TimeProvider.System.GetUtcNow(), 2, TimeSpan.FromMinutes(1), Token));

        Assert.Equal("failed failed pending pending pending", await ReadAsync("select string_agg(status, ' ' order by expires_at) from sessions"));
    }

    private Task OneWaitsForALockAsync(string what) => Eventually.BecomesTrueAsync(
        async () => await ReadAsync("select count(*)::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") is "1", what);

    private async Task<string?> ReadAsync(string query)
    {
        await using var connection = await Under.Database.OpenPostgresAsync();
        await using var command = new NpgsqlCommand(query, connection);
        return (string?)await command.ExecuteScalarAsync(Token);
    }
}

public sealed class SqliteSessionUpkeepTests() : SessionUpkeepContract(Backend.Sqlite);
