using LoyaltyService.Idempotency;
using LoyaltyService.IntegrationTests.Infrastructure;

namespace LoyaltyService.IntegrationTests.Sessions;

/// <summary>The contract of every store of idempotency keys, on PostgreSQL and on SQLite.</summary>
public abstract class IdempotencyKeyStoreContract(Backend backend) : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly Guid key = Guid.NewGuid();
    private readonly Guid body = Guid.NewGuid();
    private readonly Guid otherBody = Guid.NewGuid();

    private StoreUnderTest under = null!;

    private IIdempotencyKeyStore Keys => under.Keys;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => under = await StoreUnderTest.CreateAsync(backend);

    public async ValueTask DisposeAsync()
    {
        await under.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_new_key_goes_to_its_caller()
    {
        var claim = await ClaimAsync();

        Assert.Equal(new IdempotencyKey(key, body, IsMine: true, claim.BusyUntil, Answer: null), claim);
        Assert.NotNull(claim.BusyUntil);
    }

    [Fact]
    public async Task A_claimed_key_shows_its_body()
    {
        var claim = await ClaimAsync();

        var found = await ClaimAsync(otherBody);

        Assert.Equal(claim with { IsMine = false }, found);
    }

    [Fact]
    public async Task One_of_fifty_concurrent_claims_wins()
    {
        await under.OpenWholePoolAsync();
        var claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ClaimAsync()));

        var winner = Assert.Single(claims, claim => claim.IsMine);
        Assert.All(claims, claim => Assert.Equal(winner.BusyUntil, claim.BusyUntil));
    }

    [Fact]
    public async Task Fifty_concurrent_keys_are_all_claimed_and_answered()
    {
        await under.OpenWholePoolAsync();
        var answered = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
            await Keys.CompleteAsync(await Keys.ClaimAsync(Guid.NewGuid(), body, Lease, Window, Token), Answer(), Token)));

        Assert.All(answered, Assert.True);
    }

    [Fact]
    public async Task An_answer_is_returned_byte_for_byte()
    {
        var answer = Answer(status: 400, version: int.MaxValue, Enumerable.Range(0, 70_000).Select(number => (byte)number).ToArray());

        Assert.True(await Keys.CompleteAsync(await ClaimAsync(), answer, Token));
        var found = await ClaimAsync(otherBody);

        Assert.Equal((false, null, body), (found.IsMine, found.BusyUntil, found.Fingerprint));
        Assert.Equal((body, 400, int.MaxValue), (found.Answer!.Fingerprint, found.Answer.Status, found.Answer.Version));
        Assert.Equal(answer.Body, found.Answer.Body);
    }

    [Fact]
    public async Task A_released_key_accepts_any_body()
    {
        await Keys.ReleaseAsync(await ClaimAsync(), Token);

        var claim = await ClaimAsync(otherBody);

        Assert.Equal((true, otherBody), (claim.IsMine, claim.Fingerprint));
    }

    [Fact]
    public async Task An_expired_claim_is_taken_over_once()
    {
        await under.OpenWholePoolAsync();
        await ClaimAsync(lease: Moment);

        // Some may come too early. Of those in time, only one is first.
        var taken = await Eventually.GetAsync(
            async () => (await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ClaimAsync(otherBody)))).Where(claim => claim.IsMine).ToList(),
            taken => taken.Count > 0, "the claim of 1 ms is over");

        Assert.Equal(otherBody, Assert.Single(taken).Fingerprint);
        Assert.False((await ClaimAsync()).IsMine);
    }

    [Fact]
    public async Task The_former_holder_of_a_claim_can_neither_answer_nor_release_it()
    {
        var lost = await ClaimAsync(lease: Moment);
        var taken = await Eventually.GetAsync(() => ClaimAsync(otherBody), claim => claim.IsMine, "the claim of 1 ms is over");

        var isStored = await Keys.CompleteAsync(lost, Answer(), Token);
        await Keys.ReleaseAsync(lost, Token);

        Assert.False(isStored);
        Assert.Equal(taken with { IsMine = false }, await ClaimAsync());
        Assert.True(await Keys.CompleteAsync(taken, Answer() with { Fingerprint = otherBody }, Token));
    }

    [Fact]
    public async Task A_second_claim_does_not_remove_the_answer()
    {
        var claim = await ClaimAsync();
        await Keys.CompleteAsync(claim, Answer(), Token);

        var again = await Keys.CompleteAsync(claim, Answer(status: 400), Token);
        await Keys.ReleaseAsync(claim, Token);

        Assert.False(again);
        Assert.Equal(200, (await ClaimAsync()).Answer!.Status);
    }

    [Fact]
    public async Task An_answer_older_than_the_window_counts_as_absent()
    {
        await Keys.CompleteAsync(await ClaimAsync(), Answer(), Token);

        Assert.False((await ClaimAsync()).IsMine);
        var claim = await Eventually.GetAsync(() => ClaimAsync(otherBody, window: Moment), claim => claim.IsMine, "the window of 1 ms is over");

        Assert.Equal(new IdempotencyKey(key, otherBody, IsMine: true, claim.BusyUntil, Answer: null), claim);
        Assert.Equal(claim with { IsMine = false }, await ClaimAsync());
    }

    [Fact]
    public async Task A_claim_outlives_the_window()
    {
        var claim = await ClaimAsync();

        // If a later key is older than the window by the database's clock, so is this claim.
        var later = await Keys.ClaimAsync(Guid.NewGuid(), body, Lease, Window, Token);
        await Keys.CompleteAsync(later, Answer(), Token);
        await Eventually.GetAsync(() => Keys.ClaimAsync(later.Key, body, Lease, Moment, Token), found => found.IsMine, "the window of 1 ms is over");

        Assert.Equal(claim with { IsMine = false }, await ClaimAsync(window: Moment));
    }

    [Fact]
    public async Task Only_old_unused_keys_are_deleted_in_batches()
    {
        for (var number = 0; number < 3; number++)
            await Keys.CompleteAsync(await Keys.ClaimAsync(Guid.NewGuid(), body, Lease, Window, Token), Answer(), Token);
        var inUse = await ClaimAsync();

        Assert.Equal(0, await Keys.ForgetAsync(Window, 10, Token));
        Assert.Equal(2, await Keys.ForgetAsync(TimeSpan.FromMilliseconds(-1), 2, Token));
        Assert.Equal(1, await Keys.ForgetAsync(TimeSpan.FromMilliseconds(-1), 2, Token));
        Assert.Equal(0, await Keys.ForgetAsync(TimeSpan.FromMilliseconds(-1), 2, Token));
        Assert.True(await Keys.CompleteAsync(inUse, Answer(), Token));
    }

    private Task<IdempotencyKey> ClaimAsync(Guid? fingerprint = null, TimeSpan? lease = null, TimeSpan? window = null) =>
        Keys.ClaimAsync(key, fingerprint ?? body, lease ?? Lease, window ?? Window, Token);

    private Replay Answer(int status = 200, int version = 3, byte[]? bytes = null) => new(body, status, version, bytes ?? "{}"u8.ToArray());
}

[Collection(nameof(RunsAlone))]
public sealed class PostgresIdempotencyKeyStoreTests() : IdempotencyKeyStoreContract(Backend.Postgres);

public sealed class SqliteIdempotencyKeyStoreTests() : IdempotencyKeyStoreContract(Backend.Sqlite);
