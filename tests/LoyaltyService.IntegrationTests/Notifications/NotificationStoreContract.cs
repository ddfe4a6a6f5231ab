using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Notifications;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Notifications;

/// <summary>The contract of every store of notifications, on PostgreSQL and on SQLite.</summary>
public abstract class NotificationStoreContract(Backend backend) : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private LoyaltyApp app = null!;
    private INotificationStore store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        app = await LoyaltyApp.StartAsync(backend);
        store = app.Services.GetRequiredService<INotificationStore>();
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_key_is_used_once_even_after_the_mail_is_sent()
    {
        Assert.True(await AddAsync("one"));
        Assert.False(await AddAsync("one"));
        Assert.True(await store.EndAsync((await ClaimAsync())!, sent: true, error: null, Token));

        Assert.False(await AddAsync("one"));
        Assert.Null(await ClaimAsync());
    }

    [Fact]
    public async Task One_of_twenty_concurrent_replicas_sends_a_mail()
    {
        await AddAsync("one");

        var taken = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ClaimAsync()));

        Assert.Single(taken, mail => mail is not null);
    }

    [Fact]
    public async Task A_holder_with_an_expired_lease_writes_nothing()
    {
        await AddAsync("one");
        var first = (await store.ClaimAsync(TimeSpan.FromSeconds(-1), Token))!;
        var second = (await ClaimAsync())!;

        Assert.Equal((first.Id, 1, 2), (second.Id, first.Attempts, second.Attempts));
        Assert.False(await store.EndAsync(first, sent: true, error: null, Token));
        Assert.False(await store.PutBackAsync(first, TimeSpan.Zero, "late", Token));
        Assert.True(await store.EndAsync(second, sent: true, error: null, Token));
    }

    [Fact]
    public async Task Mails_come_due_after_their_pause_and_not_before()
    {
        await AddAsync("one");
        await store.AddAsync(new Notification("later", "s", "t", DueAt: TimeProvider.System.GetUtcNow().AddHours(1)), Token);
        var mail = (await ClaimAsync())!;

        Assert.True(await store.PutBackAsync(mail, TimeSpan.FromHours(1), "down", Token));
        Assert.Null(await ClaimAsync());
        await app.ExecuteAsync("update notifications set lease_until = null where key = 'one'");
        Assert.Equal((mail.Id, "one"), ((await ClaimAsync())!.Id, mail.Key));
        Assert.True(await store.CallOffAsync("later", Token));
        Assert.False(await store.CallOffAsync("later", Token));
    }

    [Fact]
    public async Task Old_sent_mails_are_deleted_and_waiting_ones_are_not()
    {
        await AddAsync("sent");
        await store.EndAsync((await ClaimAsync())!, sent: true, error: null, Token);
        await AddAsync("waits");

        Assert.Equal(0, await store.ForgetAsync(TimeSpan.FromHours(1), Token));
        Assert.Equal(1, await store.ForgetAsync(TimeSpan.FromHours(-1), Token));
        Assert.NotNull(await ClaimAsync());
    }

    [Fact]
    public async Task One_of_the_replicas_that_read_the_last_start_replaces_it()
    {
        Assert.True(await store.NoteAsync("thing", before: null, "a", Token));
        Assert.False(await store.NoteAsync("thing", before: null, "b", Token));
        var known = (await store.KnownAsync("thing", Token))!;
        Assert.Equal("a", known.Value);

        // The next one is later by one tick of the clock.
        await Eventually.BecomesTrueAsync(() => Task.FromResult(TimeProvider.System.GetUtcNow() > known.NotedAt.AddMilliseconds(2)), "time passes");
        Assert.True(await store.NoteAsync("thing", known, "b", Token));
        Assert.False(await store.NoteAsync("thing", known, "c", Token));
        Assert.Equal("b", (await store.KnownAsync("thing", Token))!.Value);
    }

    private Task<bool> AddAsync(string key) => store.AddAsync(new Notification(key, "subject", "text"), Token);

    private Task<OutgoingMail?> ClaimAsync() => store.ClaimAsync(Lease, Token);
}

public sealed class NotificationStoreOnPostgresTests() : NotificationStoreContract(Backend.Postgres);

public sealed class NotificationStoreOnSqliteTests() : NotificationStoreContract(Backend.Sqlite);
