using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>Changes in one commit do not affect each other.</summary>
public sealed class SessionCommitsTests : IAsyncLifetime
{
    private StoreUnderTest under = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        under = await StoreUnderTest.CreateAsync(Backend.Postgres);
        await under.OpenWholePoolAsync();
    }

    public async ValueTask DisposeAsync() => await under.DisposeAsync();

    [Fact]
    public async Task Concurrent_changes_share_commits()
    {
        var sessions = await CreateAsync(200);
        var saved = await Task.WhenAll(sessions.Select(session => SaveAsync(session, Given.Identity())));

        Assert.All(saved, session => Assert.Equal((SessionStatus.Active, 2), (session!.Status, session.Version)));
        Assert.All(await Task.WhenAll(sessions.Select(session => under.Store.FindAsync(session.Id, Token))), session => Assert.Equal(2, session!.Version));
        // Without batches 400: one for each creation and each change.
        Assert.InRange(await TransactionsAsync(), 1, 200);
    }

    [Fact]
    public async Task A_locked_session_does_not_delay_the_others()
    {
        var sessions = await CreateAsync(40);
        var held = sessions[20];
        await using var holder = await under.Database.OpenPostgresAsync();
        await using var transaction = await holder.BeginTransactionAsync(Token);
        await using var hold = new NpgsqlCommand("select from sessions where id = $1 for update", holder, transaction) { Parameters = { new() { Value = held.Id } } };
        await hold.ExecuteNonQueryAsync(Token);

        var changes = sessions.Select(session => SaveAsync(session, Given.Identity())).ToArray();
        var others = await Task.WhenAll(changes.Where((_, number) => number != 20)).WaitAsync(TimeSpan.FromSeconds(60), Token);
        // A single statement waits 5 s for a lock. The others were faster.
        var stillHeld = !changes[20].IsCompleted;
        await transaction.CommitAsync(Token);

        Assert.All(others, Assert.NotNull);
        Assert.True(stillHeld);
        Assert.Equal(2, (await changes[20])?.Version);
    }

    [Fact]
    public async Task A_refused_change_does_not_fail_the_others()
    {
        // Repeats on connections with and without prepared statements.
        for (var round = 0; round < 10; round++)
            await RefuseOneOfManyAsync();
    }

    private async Task RefuseOneOfManyAsync()
    {
        var sessions = await CreateAsync(40);

        // PostgreSQL refuses text with a NUL.
        var changes = sessions.Select((session, number) => SaveAsync(session, Given.Identity() with { CustomerName = number == 20 ? "\0" : "John Doe" })).ToArray();

        Assert.All(await Task.WhenAll(changes.Where((_, number) => number != 20)), Assert.NotNull);
        await Assert.ThrowsAsync<PostgresException>(() => changes[20]);
        Assert.Equal(1, (await under.Store.FindAsync(sessions[20].Id, Token))!.Version);
    }

    [Fact]
    public async Task One_of_many_concurrent_changes_of_a_session_is_stored()
    {
        var session = (await CreateAsync(1))[0];

        var saved = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SaveAsync(session, Given.Identity())));

        var made = Assert.Single(saved, change => change is not null);
        Assert.Equal(made!.PdiSessionId, (await under.Store.FindAsync(session.Id, Token))!.PdiSessionId);
        Assert.Equal(2, (await under.Store.EventsAsync(session.Id, Token)).Count);
    }

    private async Task<Session[]> CreateAsync(int count) =>
        [.. (await Task.WhenAll(Enumerable.Range(0, count).Select(_ => under.Store.CreateAsync(
            Given.Session(), TimeSpan.FromHours(24), TimeSpan.FromSeconds(7), Token)))).Select(created => created.Session)];

    private Task<Session?> SaveAsync(Session session, PdiIdentity identity) => under.Store.SaveAsync(session.Identified(identity, Causes.Request), Token);

    /// <summary>The number of transactions that wrote the timelines' rows.</summary>
    private async Task<long> TransactionsAsync()
    {
        await using var connection = await under.Database.OpenPostgresAsync();
        await using var count = new NpgsqlCommand("select count(distinct xmin::text) from session_events", connection);
        return (long)(await count.ExecuteScalarAsync(Token))!;
    }
}
