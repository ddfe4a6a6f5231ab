using LoyaltyService.Http;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Pdi;
using LoyaltyService.Sessions;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>The contract of every store of sessions, on PostgreSQL and on SQLite.</summary>
public abstract class SessionStoreContract(Backend backend) : IAsyncLifetime
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(7);

    private StoreUnderTest under = null!;

    private ISessionStore Store => under.Store;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => under = await StoreUnderTest.CreateAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await under.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_created_session_is_found_unchanged()
    {
        var given = Given.Session() with { StoreId = "STORE-1", Metadata = """{"basket":"ä"}""", TraceId = "0af7651916cd43dd8448eb211c80319c" };

        var (created, isNew) = await Store.CreateAsync(given, Lifetime, Hold, Token);
        var found = await Store.FindAsync(given.Id, Token);

        Assert.True(isNew);
        Assert.Equal(created, found);
        Assert.Equal(given with { CreatedAt = created.CreatedAt, ExpiresAt = created.ExpiresAt, IsBusy = true }, found);
        Assert.Equal(Lifetime, created.ExpiresAt - created.CreatedAt);
        Assert.Equal(SessionStatus.Pending, found!.Status);
        Assert.Equal(1, found.Version);
    }

    [Fact]
    public async Task An_unknown_session_is_null() => Assert.Null(await Store.FindAsync(SessionId.New(), Token));

    [Fact]
    public async Task Creating_a_sales_session_again_returns_the_first()
    {
        var first = Given.Session();
        var second = first with { Id = SessionId.New(), CustomerId = "CUST-OTHER" };

        await Store.CreateAsync(first, Lifetime, Hold, Token);
        var (session, isNew) = await Store.CreateAsync(second, Lifetime, Hold, Token);

        Assert.False(isNew);
        Assert.Equal(first.Id, session.Id);
        Assert.Equal(first.CustomerId, session.CustomerId);
        Assert.Null(await Store.FindAsync(second.Id, Token));
        Assert.Empty(await Store.EventsAsync(second.Id, Token));
    }

    [Fact]
    public async Task One_of_fifty_concurrent_creations_of_a_sale_wins()
    {
        await under.OpenWholePoolAsync();
        var sale = Given.Session();

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            Store.CreateAsync(sale with { Id = SessionId.New() }, Lifetime, Hold, Token)));

        var winner = Assert.Single(results, result => result.Created);
        Assert.All(results, result => Assert.Equal(winner.Session.Id, result.Session.Id));
        Assert.Single(await Store.EventsAsync(winner.Session.Id, Token));
    }

    [Fact]
    public async Task Every_step_of_a_session_is_stored_with_its_events()
    {
        var session = await CreateAsync();
        session = await SaveAsync(session.Identified(Given.Identity(), Causes.Request) with { TraceId = "trace-1" });
        session = await SaveAsync(session.Calculated(450, "pdi", 150.00m, Causes.Request));
        session = await SaveAsync(session.FinalizeRequested(Given.Intent(), Causes.Request));
        session = await SaveAsync(session.Finalized(Given.Receipt(), Causes.Worker));

        var found = await Store.FindAsync(session.Id, Token);
        var events = await Store.EventsAsync(session.Id, Token);

        Assert.Equal(session with { FinalizedAt = found!.FinalizedAt, WorkRow = null }, found);
        Assert.NotNull(found.FinalizedAt);
        Assert.Equal([1, 2, 3, 4, 5], events.Select(row => row.Version));
        Assert.Equal(["created", "identified", "calculated", "finalize_requested", "finalized"], events.Select(row => row.Event));
        Assert.Equal(["pending", "active", "pending_finalization", "finalizing", "finalized"], events.Select(row => row.Status));
        Assert.Equal([null, null, 150.00m, 150.00m, null], events.Select(row => row.Amount));
        Assert.Equal([0, 0, 450, 450, 450], events.Select(row => row.EarnedPoints));
        Assert.Equal("trace-1", events[1].TraceId);
        Assert.Equal(Causes.Worker, events[4].Cause);
    }

    [Fact]
    public async Task A_refused_finalize_removes_the_intent()
    {
        var session = await FinalizingAsync();

        session = await SaveAsync(session.FinalizeRefused(new PdiRejection("INSUFFICIENT_POINTS", "Not enough."), Causes.Request));

        var found = await Store.FindAsync(session.Id, Token);
        Assert.Equal(SessionStatus.PendingFinalization, found!.Status);
        Assert.Null(found.Intent);
        Assert.Equal("INSUFFICIENT_POINTS: Not enough.", (await Store.EventsAsync(session.Id, Token))[^1].Detail);
        Assert.False(await under.HasWorkAsync(session.Id));
    }

    [Fact]
    public async Task A_failed_session_keeps_its_reason()
    {
        var session = await CreateAsync();

        session = await SaveAsync(session.IdentifyRejected(new PdiRejection("UNKNOWN_CUSTOMER", "No such customer."), Causes.Request));

        var found = await Store.FindAsync(session.Id, Token);
        Assert.Equal(new SessionFailure("pdi_rejected", "UNKNOWN_CUSTOMER", "No such customer."), found!.Failure);
        Assert.Equal(SessionStatus.Failed, found.Status);
    }

    [Fact]
    public async Task A_change_of_a_stale_version_is_refused_and_leaves_no_trace()
    {
        var old = await CreateAsync();
        var current = await SaveAsync(old.Identified(Given.Identity(), Causes.Request));

        var stored = await Store.SaveAsync(old.IdentifyRejected(new PdiRejection("X", "Y"), Causes.Request), Token);

        Assert.Null(stored);
        Assert.Equal(current, await Store.FindAsync(old.Id, Token));
        Assert.Equal(2, (await Store.EventsAsync(old.Id, Token)).Count);
    }

    [Fact]
    public async Task One_of_fifty_concurrent_changes_is_stored()
    {
        await under.OpenWholePoolAsync();
        var session = await SaveAsync((await CreateAsync()).Identified(Given.Identity(), Causes.Request));

        var stored = await Task.WhenAll(Enumerable.Range(1, 50).Select(points =>
            Store.SaveAsync(session.Calculated(points, "pdi", 1.00m, Causes.Request), Token)));

        Assert.Single(stored, session => session is not null);
        Assert.Equal([1, 2, 3], (await Store.EventsAsync(session.Id, Token)).Select(row => row.Version));
    }

    [Fact]
    public async Task An_intent_keeps_its_work_until_settled()
    {
        var session = await FinalizingAsync();
        var owed = await under.HasWorkAsync(session.Id);

        await SaveAsync(session.Finalized(Given.Receipt(), Causes.Request));

        Assert.True(owed);
        Assert.False(await under.HasWorkAsync(session.Id));
    }

    [Fact]
    public async Task Only_a_released_session_can_be_claimed_and_only_once()
    {
        var session = await CreateAsync();

        Assert.True(session.IsBusy);
        Assert.False(await Store.TryClaimAsync(session, Hold, Token));
        await Store.ReleaseAsync(session, Token);
        Assert.False((await Store.FindAsync(session.Id, Token))!.IsBusy);
        await under.OpenWholePoolAsync();
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Store.TryClaimAsync(session, Hold, Token)));
        Assert.Single(claims, true);
    }

    [Fact]
    public async Task A_claim_expires()
    {
        var (session, _) = await Store.CreateAsync(Given.Session(), Lifetime, TimeSpan.FromMilliseconds(1), Token);

        await Eventually.BecomesTrueAsync(() => Store.TryClaimAsync(session, Hold, Token), "the claim of 1 ms is over");
    }

    [Fact]
    public async Task A_session_expires_by_the_databases_clock()
    {
        var (session, _) = await Store.CreateAsync(Given.Session(), TimeSpan.FromMilliseconds(1), Hold, Token);

        await Eventually.BecomesTrueAsync(async () => (await Store.FindAsync(session.Id, Token))!.IsExpired, "the session is expired");
    }

    [Fact]
    public async Task Amounts_and_points_of_every_size_round_trip()
    {
        var session = await SaveAsync((await CreateAsync()).Identified(Given.Identity() with { CurrentPoints = long.MaxValue }, Causes.Request));

        session = await SaveAsync(session.FinalizeRequested(Given.Intent() with { FinalAmount = FieldChecks.MaxAmount, RedeemPoints = 99_999_999 }, Causes.Request));

        var found = await Store.FindAsync(session.Id, Token);
        Assert.Equal(long.MaxValue, found!.CurrentPoints);
        Assert.Equal(999_999.99m, found.Intent!.FinalAmount);
        Assert.Equal(99_999_999, found.Intent.RedeemPoints);
    }

    private async Task<Session> CreateAsync() => (await Store.CreateAsync(Given.Session(), Lifetime, Hold, Token)).Session;

    private async Task<Session> FinalizingAsync()
    {
        var session = await SaveAsync((await CreateAsync()).Identified(Given.Identity(), Causes.Request));
        return await SaveAsync(session.FinalizeRequested(Given.Intent(), Causes.Request));
    }

    private async Task<Session> SaveAsync(SessionChange change)
    {
        var saved = await Store.SaveAsync(change, Token);
        Assert.Equal(change.After with { WorkRow = null }, saved! with { WorkRow = null });
        return saved;
    }
}

[Collection(nameof(RunsAlone))]
public sealed class PostgresSessionStoreTests() : SessionStoreContract(Backend.Postgres);

public sealed class SqliteSessionStoreTests() : SessionStoreContract(Backend.Sqlite);
