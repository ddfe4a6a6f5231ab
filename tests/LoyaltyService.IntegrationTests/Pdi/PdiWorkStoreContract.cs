using LoyaltyService.Http;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Sessions;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;
using LoyaltyService.Storage;

namespace LoyaltyService.IntegrationTests.Pdi;

/// <summary>The contract of every store of the PDI queue, on PostgreSQL and on SQLite.</summary>
public abstract class PdiWorkStoreContract(Backend backend) : IAsyncLifetime
{
    private const int NoBound = 1000;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private StoreUnderTest under = null!;

    private IPdiWorkStore Work => under.Work;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => under = await StoreUnderTest.CreateAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await under.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private PdiWorkItem? lastClaimed;

    [Fact]
    public async Task A_waiting_session_is_listed_and_released_by_its_caller()
    {
        var session = await CreateAsync();

        var added = await Work.TryAddAsync(session, NoBound, Token);

        Assert.True(added);
        var row = await FindAsync(session.Id);
        Assert.Equal(
            (session.Id, "pending", session.CustomerId, session.ChannelId, session.TransactionId),
            (row.SessionId, row.Status, row.CustomerId, row.ChannelId, row.TransactionId));
        Assert.Equal((false, 0, null, null), (row.IsLeased, row.Attempts, row.ParkedAt, row.LastError));
        Assert.Equal(row.CreatedAt, row.DueAt);
        Assert.False((await under.Store.FindAsync(session.Id, Token))!.IsBusy);
    }

    [Fact]
    public async Task A_session_without_a_caller_waits_at_once_and_its_duplicate_adds_nothing()
    {
        var given = Given.Session();

        var (session, created) = await under.Store.CreateAsync(given, TimeSpan.FromHours(24), busyFor: null, Token);
        var (again, createdAgain) = await under.Store.CreateAsync(given with { Id = SessionId.New() }, TimeSpan.FromHours(24), busyFor: null, Token);

        Assert.True(created);
        Assert.False(session.IsBusy);
        Assert.Equal((session.Id, false), (again.Id, createdAgain));
        var row = Assert.Single(await Work.ListAsync(10, null, null, Token));
        Assert.Equal((session.Id, "pending", false, 0), (row.SessionId, row.Status, row.IsLeased, row.Attempts));
        Assert.Equal(row.CreatedAt, row.DueAt);
        Assert.Equal(session.Id, Assert.Single(await Work.ClaimAsync(10, TimeSpan.FromSeconds(30), Token)).SessionId);
    }

    [Fact]
    public async Task A_full_queue_refuses_new_sessions_but_not_waiting_ones()
    {
        var first = await WaitingAsync();
        await WaitingAsync();
        await WaitingAsync();
        var fourth = await CreateAsync();

        Assert.False(await Work.TryAddAsync(fourth, 3, Token));
        Assert.False(await Work.HasRoomAsync(fourth.Id, 3, Token));
        Assert.True(await Work.TryAddAsync(first, 3, Token));
        Assert.True(await Work.HasRoomAsync(first.Id, 3, Token));
        Assert.True(await Work.HasRoomAsync(fourth.Id, 4, Token));
        Assert.Null(await Work.FindAsync(fourth.Id, Token));
        Assert.Equal(3, (await ListAsync()).Count);
    }

    [Fact]
    public async Task Sixty_concurrent_sales_are_all_queued()
    {
        await under.OpenWholePoolAsync();
        var sessions = await PoolAtATimeAsync(Enumerable.Range(0, 60), _ => CreateAsync());

        var added = await PoolAtATimeAsync(sessions, session => Work.TryAddAsync(session, NoBound, Token));

        Assert.All(added, Assert.True);
        Assert.Equal(60, (await ListAsync()).Count);
    }

    [Fact]
    public async Task The_longest_due_items_are_claimed_first_up_to_the_limit()
    {
        var (a, b, c) = (await WaitingAsync(), await WaitingAsync(), await WaitingAsync());
        foreach (var item in await Work.ClaimAsync(3, Lease, Token))
        {
            var hours = item.SessionId == a.Id ? -1 : item.SessionId == b.Id ? -3 : -2;
            Assert.True(await Work.PutBackAsync(item, TimeSpan.FromHours(hours), "later", counts: true, park: false, Token));
        }

        var two = await Work.ClaimAsync(2, Lease, Token);
        var rest = await Work.ClaimAsync(2, Lease, Token);

        Assert.Equal(new[] { b.Id, c.Id }.Order(), two.Select(item => item.SessionId).Order());
        Assert.Equal([a.Id], rest.Select(item => item.SessionId));
        Assert.All(two, item => Assert.Equal(2, item.Attempts));
    }

    [Fact]
    public async Task An_attempt_during_an_outage_does_not_count()
    {
        var session = await WaitingAsync();

        await Work.PutBackAsync(await ClaimOneAsync(), TimeSpan.Zero, "PDI is away", counts: false, park: false, Token);
        var second = await ClaimOneAsync();

        Assert.Equal((session.Id, 1), (second.SessionId, second.Attempts));
    }

    [Fact]
    public async Task Items_due_later_are_not_claimed()
    {
        await WaitingAsync();
        await Work.PutBackAsync(await ClaimOneAsync(), TimeSpan.FromHours(1), "PDI is away", counts: true, park: false, Token);

        Assert.Empty(await Work.ClaimAsync(10, Lease, Token));
        var row = Assert.Single(await ListAsync());
        Assert.Equal((false, 1, "PDI is away"), (row.IsLeased, row.Attempts, row.LastError));
        Assert.True(row.DueAt > row.CreatedAt);
    }

    [Fact]
    public async Task A_leased_item_is_not_claimed_again()
    {
        var session = await WaitingAsync();
        await ClaimOneAsync();

        Assert.Empty(await Work.ClaimAsync(10, Lease, Token));
        Assert.True((await FindAsync(session.Id)).IsLeased);
    }

    [Fact]
    public async Task An_expired_lease_is_taken_over_and_fences_its_holder()
    {
        var session = await WaitingAsync();
        var late = Assert.Single(await Work.ClaimAsync(1, Moment, Token));

        var taken = Assert.Single(await Eventually.GetAsync(
            () => Work.ClaimAsync(1, Lease, Token), items => items.Count == 1, "the lease of 1 ms is over"));

        Assert.Equal((late.Fence + 1, late.Attempts + 1), (taken.Fence, taken.Attempts));
        Assert.False(await Work.PutBackAsync(late, TimeSpan.Zero, "too late", counts: true, park: true, Token));
        Assert.False(await Work.RemoveAsync(late, Token));
        var row = await FindAsync(session.Id);
        Assert.Equal((true, null, null), (row.IsLeased, row.ParkedAt, row.LastError));
        Assert.True(await Work.RemoveAsync(taken, Token));
        Assert.Null(await Work.FindAsync(session.Id, Token));
    }

    [Fact]
    public async Task A_parked_item_waits_for_an_operator()
    {
        var session = await ParkedAsync();

        await Work.HurryAsync(Token);

        Assert.Empty(await Work.ClaimAsync(10, Lease, Token));
        var row = await FindAsync(session.Id);
        Assert.NotNull(row.ParkedAt);
        Assert.Equal((false, "given up"), (row.IsLeased, row.LastError));
    }

    [Fact]
    public async Task After_an_outage_all_items_are_due_unless_parked_or_leased()
    {
        var waiting = await WaitingAsync();
        await Work.PutBackAsync(await ClaimOneAsync(), TimeSpan.FromHours(1), "later", counts: true, park: false, Token);
        await ParkedAsync();
        var leased = await SaveAsync(FinalizeRequested(await IdentifiedAsync()));
        var leasedDueAt = (await FindAsync(leased.Id)).DueAt;

        await Work.HurryAsync(Token);

        Assert.Equal([waiting.Id], (await Work.ClaimAsync(10, Lease, Token)).Select(item => item.SessionId));
        Assert.Equal(leasedDueAt, (await FindAsync(leased.Id)).DueAt);
    }

    [Fact]
    public async Task A_replayed_item_is_due_with_fresh_attempts_and_age()
    {
        var session = await ParkedAsync();
        await under.MakeOlderAsync(session.Id, TimeSpan.FromHours(25));

        var replayed = await Work.ReplayAsync(session.Id, audit: null, Token);

        Assert.Equal((session.Id, 0, null, false), (replayed!.SessionId, replayed.Attempts, replayed.ParkedAt, replayed.IsLeased));
        Assert.Equal(replayed, await Work.FindAsync(session.Id, Token));
        var item = await ClaimOneAsync();
        Assert.Equal(1, item.Attempts);
        Assert.True(item.Age < TimeSpan.FromHours(1), $"{item.Age}");
        Assert.True((await Work.CountAsync(Token)).OldestAge > TimeSpan.FromHours(25));
    }

    [Fact]
    public async Task A_replay_survives_an_attempt_in_progress()
    {
        var session = await WaitingAsync();
        var item = await ClaimOneAsync();

        var replayed = await Work.ReplayAsync(session.Id, audit: null, Token);
        Assert.True(replayed!.IsLeased);
        Assert.Empty(await Work.ClaimAsync(1, Lease, Token));
        Assert.True(await Work.PutBackAsync(item, TimeSpan.FromHours(1), "the last attempt of before", counts: true, park: true, Token));

        Assert.Null((await FindAsync(session.Id)).ParkedAt);
        Assert.Equal(1, (await ClaimOneAsync()).Attempts);
    }

    [Fact]
    public async Task Only_queued_items_can_be_replayed()
    {
        Assert.Null(await Work.ReplayAsync(SessionId.New(), audit: null, Token));
        Assert.Null(await Work.FindAsync(SessionId.New(), Token));
    }

    [Fact]
    public async Task The_request_holds_its_intent_for_12_seconds()
    {
        var session = await SaveAsync(FinalizeRequested(await IdentifiedAsync()));

        Assert.Equal(TimeSpan.FromSeconds(12), await under.LeaseAsync(session.Id));
        Assert.True((await FindAsync(session.Id)).IsLeased);
        Assert.Empty(await Work.ClaimAsync(10, Lease, Token));
    }

    [Fact]
    public async Task An_intent_takes_a_row_over_from_its_holder()
    {
        var session = await ParkedAsync();
        var parked = await FindAsync(session.Id);

        await SaveAsync(FinalizeRequested(session));

        var row = await FindAsync(session.Id);
        Assert.Equal((true, 0, null, null, "finalizing"), (row.IsLeased, row.Attempts, row.ParkedAt, row.LastError, row.Status));
        Assert.Equal(parked.CreatedAt, row.CreatedAt);
        Assert.False(await Work.RemoveAsync(lastClaimed!, Token));
    }

    [Fact]
    public async Task An_intent_makes_a_row_due_with_fresh_attempts_and_age()
    {
        var session = await WaitingAsync();
        await Work.PutBackAsync(await ClaimOneAsync(), TimeSpan.FromHours(1), "later", counts: true, park: false, Token);
        await under.MakeOlderAsync(session.Id, TimeSpan.FromHours(23.9));

        await SaveAsync(session.FinalizeRequested(Given.Intent(), Causes.Request));

        var item = await ClaimOneAsync();
        Assert.Equal((session.Id, 1), (item.SessionId, item.Attempts));
        Assert.True(item.Age < TimeSpan.FromHours(1), $"{item.Age}");
        // Its waiting time in the metrics does not reset.
        Assert.True((await Work.CountAsync(Token)).OldestAge > TimeSpan.FromHours(23));
    }

    [Fact]
    public async Task A_repeated_identify_unparks_a_session()
    {
        var session = await ParkedAsync();
        await under.MakeOlderAsync(session.Id, TimeSpan.FromHours(25));

        Assert.True(await Work.TryAddAsync(session, NoBound, Token));

        Assert.Null((await FindAsync(session.Id)).ParkedAt);
        var item = await ClaimOneAsync();
        Assert.Equal((session.Id, 1), (item.SessionId, item.Attempts));
        Assert.True(item.Age < TimeSpan.FromHours(1), $"{item.Age}");
    }

    [Fact]
    public async Task A_requeued_session_keeps_its_attempts_and_age()
    {
        var session = await WaitingAsync();
        await Work.PutBackAsync(await ClaimOneAsync(), TimeSpan.FromHours(1), "later", counts: true, park: false, Token);
        await under.MakeOlderAsync(session.Id, TimeSpan.FromHours(2));

        Assert.True(await Work.TryAddAsync(session, NoBound, Token));

        var item = await ClaimOneAsync();
        Assert.Equal(2, item.Attempts);
        Assert.True(item.Age > TimeSpan.FromHours(1), $"{item.Age}");
    }

    [Fact]
    public async Task The_request_can_withdraw_its_own_work()
    {
        var session = await SaveAsync(FinalizeRequested(await IdentifiedAsync()));

        var withdrawn = await SaveAsync(session.FinalizeWithdrawn(Causes.Request));

        Assert.Null(await Work.FindAsync(session.Id, Token));
        var found = await under.Store.FindAsync(session.Id, Token);
        Assert.Equal((SessionStatus.PendingFinalization, 4, null), (found!.Status, found.Version, found.Intent));
        Assert.Equal(withdrawn with { WorkRow = null }, found with { WorkRow = null });
        Assert.Equal("finalize_withdrawn", (await under.Store.EventsAsync(session.Id, Token))[^1].Event);
    }

    [Fact]
    public async Task Work_that_the_worker_once_claimed_cannot_be_withdrawn()
    {
        var session = await SaveAsync((await IdentifiedAsync()).FinalizeRequested(Given.Intent(), Causes.Request));
        var change = session.FinalizeWithdrawn(Causes.Request);

        var leaseIsOver = await under.Store.SaveAsync(change, Token);
        var item = await ClaimOneAsync();
        var isTakenOver = await under.Store.SaveAsync(change, Token);
        await Work.PutBackAsync(item, TimeSpan.Zero, "PDI is away", counts: false, park: false, Token);
        var wasTakenOver = await under.Store.SaveAsync(change, Token);

        Assert.Equal((null, null, null), (leaseIsOver, isTakenOver, wasTakenOver));
        Assert.Equal(SessionStatus.Finalizing, (await under.Store.FindAsync(session.Id, Token))!.Status);
    }

    [Fact]
    public async Task Twenty_claimers_never_share_an_item()
    {
        await under.OpenWholePoolAsync();
        var sessions = await PoolAtATimeAsync(Enumerable.Range(0, 60), _ => WaitingAsync());

        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ClaimOrComeBackAsync(3)));
        var rest = await Work.ClaimAsync(60, Lease, Token);

        var claimed = claims.Append(rest).SelectMany(items => items).ToList();
        Assert.Equal(sessions.Select(session => session.Id).Order(), claimed.Select(item => item.SessionId).Order());
        Assert.All(claimed, item => Assert.Equal(1, item.Attempts));
    }

    [Fact]
    public async Task Pages_show_every_item_once()
    {
        for (var count = 0; count < 5; count++)
            await WaitingAsync();
        var all = await ListAsync();

        var pages = new List<IReadOnlyList<PdiWorkRow>>();
        PageCursor? after = null;
        do
        {
            pages.Add(await Work.ListAsync(2, after, parked: null, Token));
            after = pages[^1] is [.., var last] ? new PageCursor(last.CreatedAt, last.SessionId) : null;
        }
        while (after is not null);

        Assert.Equal([2, 2, 1, 0], pages.Select(page => page.Count));
        Assert.Equal(all, pages.SelectMany(page => page));
        Assert.Equal(all.Select(row => row.CreatedAt).Order(), all.Select(row => row.CreatedAt));
    }

    [Fact]
    public async Task Parked_items_are_listed_and_counted_separately()
    {
        Assert.Equal(new PdiWorkCounts(0, 0, TimeSpan.Zero), await Work.CountAsync(Token));
        var parked = await ParkedAsync();
        var waiting = await WaitingAsync();
        await under.MakeOlderAsync(parked.Id, TimeSpan.FromHours(2));

        var counts = await Work.CountAsync(Token);

        Assert.Equal((1, 1), (counts.Waiting, counts.Parked));
        Assert.InRange(counts.OldestAge, TimeSpan.FromHours(2), TimeSpan.FromHours(3));
        Assert.Equal([parked.Id, waiting.Id], (await ListAsync()).Select(row => row.SessionId));
        Assert.Equal([parked.Id], (await ListAsync(parked: true)).Select(row => row.SessionId));
        Assert.Equal([waiting.Id], (await ListAsync(parked: false)).Select(row => row.SessionId));
    }

    [Fact]
    public async Task Only_parked_work_can_be_abandoned()
    {
        var session = await WaitingAsync();
        var change = session.OperatorResolved("Given by hand.", "ops", Causes.Operator);

        var tooEarly = await under.Store.SaveAsync(change, Token);
        await Work.PutBackAsync(await ClaimOneAsync(), TimeSpan.Zero, "given up", counts: true, park: true, Token);
        await SaveAsync(change);

        Assert.Null(tooEarly);
        Assert.Null(await Work.FindAsync(session.Id, Token));
        var found = await under.Store.FindAsync(session.Id, Token);
        Assert.Equal((SessionStatus.Failed, new SessionFailure("resolved", null, "Given by hand.")), (found!.Status, found.Failure));
        var told = (await under.Store.EventsAsync(session.Id, Token))[^1];
        Assert.Equal((2, "operator_resolved", "failed", "operator", "ops"), (told.Version, told.Event, told.Status, told.Cause, told.Detail));
    }

    [Fact]
    public async Task A_stale_abandon_keeps_the_parked_work()
    {
        var old = await CreateAsync();
        var current = await SaveAsync(old.Identified(Given.Identity(), Causes.Request));
        current = await SaveAsync(current.FinalizeRequested(Given.Intent(), Causes.Request));
        await ParkAsync(current);

        var stored = await under.Store.SaveAsync(old.OperatorResolved("Too late.", "ops", Causes.Operator), Token);
        var kept = await Work.FindAsync(old.Id, Token);
        var resolved = await SaveAsync(current.OperatorResolved("Given by hand.", "ops", Causes.Operator));

        Assert.Null(stored);
        Assert.NotNull(kept);
        Assert.Equal(resolved with { WorkRow = null }, await under.Store.FindAsync(old.Id, Token));
        Assert.NotNull(resolved.Intent);
    }

    private async Task<Session> CreateAsync() =>
        (await under.Store.CreateAsync(Given.Session(), TimeSpan.FromHours(24), TimeSpan.FromSeconds(7), Token)).Session;

    private async Task<Session> IdentifiedAsync() => await SaveAsync((await CreateAsync()).Identified(Given.Identity(), Causes.Request));

    /// <summary>
    /// As many callers as the pool has connections (brief: 20). More never meet in the database; other tests cover waiting for a
    /// connection.
    /// </summary>
    private static async Task<List<TResult>> PoolAtATimeAsync<T, TResult>(IEnumerable<T> items, Func<T, Task<TResult>> run)
    {
        var results = new List<TResult>();
        foreach (var chunk in items.Chunk(20))
            results.AddRange(await Task.WhenAll(chunk.Select(run)));
        return results;
    }

    private async Task<Session> WaitingAsync()
    {
        var session = await CreateAsync();
        Assert.True(await Work.TryAddAsync(session, NoBound, Token));
        return session;
    }

    /// <summary>Requires a store without other due items.</summary>
    private async Task<Session> ParkedAsync()
    {
        var session = await WaitingAsync();
        Assert.True(await Work.PutBackAsync(await ClaimOneAsync(), TimeSpan.Zero, "given up", counts: true, park: true, Token));
        return session;
    }

    /// <summary>Parks the item as the holder of its first lease, because an intent's lease outlasts a test.</summary>
    private async Task ParkAsync(Session session) =>
        Assert.True(await Work.PutBackAsync(new PdiWorkItem(session.Id, await under.FenceAsync(session.Id), Attempts: 0, TimeSpan.Zero), TimeSpan.Zero, "given up", counts: true, park: true, Token));

    /// <summary>Claims like the worker: too much contention yields nothing, and it tries again.</summary>
    private async Task<IReadOnlyList<PdiWorkItem>> ClaimOrComeBackAsync(int limit)
    {
        try
        {
            return await Work.ClaimAsync(limit, Lease, Token);
        }
        catch (OverloadedException)
        {
            return [];
        }
    }

    private async Task<PdiWorkItem> ClaimOneAsync() => lastClaimed = Assert.Single(await Work.ClaimAsync(1, Lease, Token));

    private async Task<PdiWorkRow> FindAsync(Guid id) =>
        await Work.FindAsync(id, Token) ?? throw new InvalidOperationException("Nothing waits.");

    private Task<IReadOnlyList<PdiWorkRow>> ListAsync(bool? parked = null) => Work.ListAsync(200, after: null, parked, Token);

    /// <summary>Written by a request that then calls PDI itself.</summary>
    private static SessionChange FinalizeRequested(Session session) =>
        session.FinalizeRequested(Given.Intent(), Causes.Request) with { WorkLease = new PdiWorkLimits().OwnedByRequest };

    private async Task<Session> SaveAsync(SessionChange change) =>
        await under.Store.SaveAsync(change, Token) ?? throw new InvalidOperationException("The change was refused.");
}

[Collection(nameof(RunsAlone))]
public sealed class PostgresPdiWorkStoreTests() : PdiWorkStoreContract(Backend.Postgres);

public sealed class SqlitePdiWorkStoreTests() : PdiWorkStoreContract(Backend.Sqlite);
