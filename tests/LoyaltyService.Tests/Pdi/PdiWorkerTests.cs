using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;
using LoyaltyService.Http;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.Security;
using LoyaltyService.Sessions;
using LoyaltyService.Tests.Sessions;

namespace LoyaltyService.Tests.Pdi;

/// <summary>The worker alone. PDI, the sessions and the queue are fakes.</summary>
public sealed class PdiWorkerTests : IAsyncDisposable
{
    private const string Identity = """{"pdiSessionId":"pdi-1","customerId":"C-1","customerName":"John Doe","currentPoints":1200,"tier":"Gold"}""";

    private static readonly PdiWorkLimits LooksOften = new() { Poll = TimeSpan.FromMilliseconds(1) };
    private static readonly PdiWorkLimits LooksOnlyWhenWoken = new() { Poll = TimeSpan.FromHours(1) };

    private readonly FakeWork work = new();
    private readonly FakeSessions sessions = new();
    private readonly ConsecutiveFailureBreaker breaker;
    private readonly FakePdi pdi;
    private PdiWorker? worker;

    public PdiWorkerTests()
    {
        var log = new LogLines();
        var options = new PdiOptions { TokenFirstBackoff = TimeSpan.Zero };
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        breaker = new ConsecutiveFailureBreaker(options, PdiResilience.Judge, clock, log.For<ConsecutiveFailureBreaker>());
        pdi = new FakePdi { Clock = clock, Options = options, Pipeline = BreakerUnderTest.Alone(breaker) };
        pdi.OnCall = static (_, _) => Task.FromResult(FakePdi.Json(Identity));
    }

    [Fact]
    public async Task An_unexpected_exception_does_not_stop_the_worker()
    {
        work.Due(1);
        work.ClaimFails = new InvalidOperationException("Nobody expects this.");

        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.Removed.Count == 1);

        Assert.False(worker!.ExecuteTask!.IsCompleted);
        Assert.Contains(pdi.Log.All, line => line.StartsWith("Error WorkRoundBroke", StringComparison.Ordinal) && line.Contains("Nobody expects this.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_put_back_does_not_stop_the_worker()
    {
        var lost = work.Due(1)[0];
        sessions.Broken = lost.SessionId;
        work.PutBackFails = new InvalidOperationException("Not even that.");
        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.PutBackFails is null);

        work.Due(1);
        await work.UntilAsync(() => work.Removed.Count == 1);

        Assert.False(worker!.ExecuteTask!.IsCompleted);
    }

    [Fact]
    public async Task When_the_breaker_closes_waiting_items_become_due_at_once()
    {
        await StartAsync(LooksOnlyWhenWoken);
        await OpenAsync();
        work.DueAfterHurry(3);

        await CloseAsync();
        await work.UntilAsync(() => work.Removed.Count == 3);

        Assert.Equal(1, work.Hurried);
    }

    [Fact]
    public async Task Making_items_due_is_retried_if_the_database_fails()
    {
        await StartAsync(LooksOften);
        await OpenAsync();
        work.HurryFails = new InvalidOperationException("The database is away.");
        work.DueAfterHurry(1);

        await CloseAsync();
        await work.UntilAsync(() => work.Removed.Count == 1);

        Assert.Equal(2, work.Hurried);
    }

    [Fact]
    public async Task At_most_eight_calls_run_and_a_hung_one_blocks_no_others()
    {
        var hanging = new TaskCompletionSource<HttpResponseMessage>();
        var others = new TaskCompletionSource();
        var (atPdi, mostAtPdi) = (0, 0);
        pdi.OnCall = async (number, _) =>
        {
            mostAtPdi = Math.Max(mostAtPdi, Interlocked.Increment(ref atPdi));
            work.Changed();
            if (number == 1)
                return await hanging.Task;
            await others.Task;
            Interlocked.Decrement(ref atPdi);
            return FakePdi.Json(Identity);
        };
        work.Due(30);

        await StartAsync(LooksOnlyWhenWoken);
        await work.UntilAsync(() => Volatile.Read(ref atPdi) == 8);
        Assert.Equal(22, work.Waiting);
        others.SetResult();
        await work.UntilAsync(() => work.Removed.Count == 29);
        hanging.SetResult(FakePdi.Json(Identity));
        await work.UntilAsync(() => work.Removed.Count == 30);

        Assert.Equal(8, mostAtPdi);
    }

    [Fact]
    public async Task A_poison_item_is_put_back_and_the_others_are_settled()
    {
        var items = work.Due(20);
        sessions.Broken = items[3].SessionId;

        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.Removed.Count == 19 && work.PutBacks.Count == 1);

        var put = Assert.Single(work.PutBacks);
        Assert.Equal((items[3], true, false), (put.Item, put.Counts, put.Park));
        Assert.InRange(put.Pause, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(50, 0, true)]
    [InlineData(49, 0, false)]
    [InlineData(1, 24, true)]
    [InlineData(1, 23.9, false)]
    public async Task An_item_is_parked_after_50_attempts_or_24_hours(int attempts, double hours, bool isParked)
    {
        work.Due(new PdiWorkItem(SessionId.New(), Fence: 1, attempts, TimeSpan.FromHours(hours)));
        pdi.OnCall = static (_, _) => Task.FromResult(FakePdi.Json("", HttpStatusCode.BadGateway));

        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.PutBacks.Count == 1);

        Assert.Equal(isParked, work.PutBacks[0].Park);
    }

    [Fact]
    public async Task During_an_outage_only_the_first_failed_attempt_counts()
    {
        work.Due(4);
        pdi.OnCall = static (_, _) => Task.FromResult(FakePdi.Json("", HttpStatusCode.BadGateway));

        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.PutBacks.Count == 4);

        Assert.Single(work.PutBacks, put => put.Counts);
    }

    [Fact]
    public async Task While_PDI_serves_other_items_failed_attempts_count()
    {
        work.Due(1);
        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.Removed.Count == 1);

        pdi.OnCall = static (_, _) => Task.FromResult(FakePdi.Json("", HttpStatusCode.BadGateway));
        work.Due(4);
        await work.UntilAsync(() => work.PutBacks.Count == 4);

        Assert.All(work.PutBacks, put => Assert.True(put.Counts));
    }

    [Theory]
    [InlineData(10_800, 30)]
    [InlineData(12, 12)]
    public async Task Retry_After_is_respected_up_to_the_longest_pause(int asked, int seconds)
    {
        work.Due(1);
        pdi.OnCall = (_, _) =>
        {
            var answer = FakePdi.Json("", HttpStatusCode.ServiceUnavailable);
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(asked));
            return Task.FromResult(answer);
        };

        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.PutBacks.Count == 1);

        Assert.Equal(TimeSpan.FromSeconds(seconds), work.PutBacks[0].Pause);
    }

    [Fact]
    public async Task A_stored_error_is_sanitised_and_truncated()
    {
        work.Due(1);
        pdi.OnCall = static (_, _) => throw new HttpRequestException(HttpRequestError.InvalidResponse, "Invalid status line: '\0\uD800\r\n" + new string('x', 5000));

        await StartAsync(LooksOften);
        await work.UntilAsync(() => work.PutBacks.Count == 1);

        var stored = work.PutBacks[0].Error;
        Assert.StartsWith("PDI broke off at identify: Invalid status line: '\uFFFD\uFFFD\uFFFD\uFFFDx", stored, StringComparison.Ordinal);
        Assert.Equal(1000, stored.Length);
    }

    [Fact]
    public void Pauses_grow_from_5_to_30_seconds_with_jitter()
    {
        var limits = new PdiWorkLimits();
        var pauses = Enumerable.Range(1, 60).Select(attempt => (Attempt: attempt, Pauses: Enumerable.Range(0, 100).Select(_ => limits.PauseAfter(attempt)).ToList())).ToList();

        Assert.All(pauses, of => Assert.All(of.Pauses, pause => Assert.InRange(pause, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30))));
        Assert.All(pauses[0].Pauses, pause => Assert.InRange(pause, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)));
        Assert.All(pauses, of => Assert.True(of.Pauses.Max() - of.Pauses.Min() > TimeSpan.FromSeconds(1), $"Attempt {of.Attempt} has no jitter."));
        Assert.True(pauses[^1].Pauses.Max() > TimeSpan.FromSeconds(20));
    }

    public async ValueTask DisposeAsync()
    {
        // Does not wait for calls that still hang.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        if (worker is not null)
            await worker.StopAsync(patience.Token);
        worker?.Dispose();
        pdi.Dispose();
    }

    private Task StartAsync(PdiWorkLimits limits)
    {
        var client = pdi.CreateClient();
        var settle = new SettleSession(sessions, [
            new OwedIdentify(sessions, client, pdi.Options, pdi.Log.For<OwedIdentify>()),
            new OwedFinalize(sessions, client, pdi.Options, new SessionMetrics(new Meter("test")), pdi.Log.For<OwedFinalize>()),
        ]);
        worker = new PdiWorker(
            work, settle, new PdiWorkFailures(breaker, pdi.Health, limits, TimeProvider.System), breaker, limits, TimeProvider.System, pdi.Log.For<PdiWorker>());
        return worker.StartAsync(CancellationToken.None);
    }

    private async Task OpenAsync()
    {
        // The worker subscribes to the breaker before its first query.
        await work.UntilAsync(() => work.Looks > 0);
        pdi.OnCall = static (_, _) => Task.FromResult(FakePdi.Json("", HttpStatusCode.BadGateway));
        for (var failure = 0; failure < 5; failure++)
            await Assert.ThrowsAsync<PdiUnavailableException>(() => pdi.CreateClient().GetSessionStatusAsync("pdi-1"));
        Assert.Equal(BreakerState.Open, breaker.State);
    }

    private async Task CloseAsync()
    {
        pdi.OnCall = static (number, _) => Task.FromResult(FakePdi.Json(number == 6 ? """{"pdiSessionId":"pdi-1","status":"open"}""" : Identity));
        pdi.Clock.Advance(pdi.Options.BreakerOpenTime);
        await pdi.CreateClient().GetSessionStatusAsync("pdi-1");
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    private sealed record PutBack(PdiWorkItem Item, TimeSpan Pause, string Error, bool Counts, bool Park);

    /// <summary>Returns each due item to one claim.</summary>
    private sealed class FakeWork : IPdiWorkStore
    {
        private readonly Lock gate = new();
        private readonly Channel<bool> changes = Channel.CreateUnbounded<bool>();
        private readonly Queue<PdiWorkItem> due = [];
        private int dueAfterHurry;

        public List<PdiWorkItem> Removed { get; } = [];

        public List<PutBack> PutBacks { get; } = [];

        public int Looks { get; private set; }

        public int Hurried { get; private set; }

        public int Waiting => due.Count;

        /// <summary>Thrown once.</summary>
        public Exception? ClaimFails { get; set; }

        public Exception? HurryFails { get; set; }

        public Exception? PutBackFails { get; set; }

        public PdiWorkItem[] Due(int count)
        {
            PdiWorkItem[] items = [.. Enumerable.Range(0, count).Select(_ => new PdiWorkItem(SessionId.New(), Fence: 1, Attempts: 1, TimeSpan.Zero))];
            Due(items);
            return items;
        }

        public void Due(params PdiWorkItem[] items)
        {
            lock (gate)
            {
                foreach (var item in items)
                    due.Enqueue(item);
            }
        }

        public void DueAfterHurry(int count) => dueAfterHurry = count;

        public void Changed() => changes.Writer.TryWrite(true);

        public async Task UntilAsync(Func<bool> isTrue)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (!Look(isTrue))
                await changes.Reader.ReadAsync(deadline.Token);
        }

        public Task<IReadOnlyList<PdiWorkItem>> ClaimAsync(int limit, TimeSpan lease, CancellationToken cancellationToken) =>
            Task.FromResult(Do<IReadOnlyList<PdiWorkItem>>(() =>
            {
                Looks++;
                if (ClaimFails is { } fails)
                {
                    ClaimFails = null;
                    throw fails;
                }

                return [.. Enumerable.Range(0, Math.Min(limit, due.Count)).Select(_ => due.Dequeue())];
            }));

        public Task<bool> PutBackAsync(PdiWorkItem item, TimeSpan pause, string error, bool counts, bool park, CancellationToken cancellationToken) =>
            Task.FromResult(Do(() =>
            {
                if (PutBackFails is { } fails)
                {
                    PutBackFails = null;
                    throw fails;
                }

                PutBacks.Add(new PutBack(item, pause, error, counts, park));
                return true;
            }));

        public Task<bool> RemoveAsync(PdiWorkItem item, CancellationToken cancellationToken) => Task.FromResult(Do(() =>
        {
            Removed.Add(item);
            return true;
        }));

        public Task HurryAsync(CancellationToken cancellationToken) => Task.FromResult(Do(() =>
        {
            Hurried++;
            if (HurryFails is { } fails)
            {
                HurryFails = null;
                throw fails;
            }

            Due(dueAfterHurry);
            return true;
        }));

        public Task<bool> TryAddAsync(Session session, int maxItems, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> HasRoomAsync(Guid sessionId, int maxItems, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<PdiWorkRow>> ListAsync(int limit, PageCursor? after, bool? parked, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<PdiWorkCounts> CountAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<PdiWorkRow?> FindAsync(Guid sessionId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<PdiWorkRow?> ReplayAsync(Guid sessionId, AuditEntry? audit, CancellationToken cancellationToken) => throw new NotSupportedException();

        private T Do<T>(Func<T> change)
        {
            try
            {
                lock (gate)
                    return change();
            }
            finally
            {
                Changed();
            }
        }

        private bool Look(Func<bool> isTrue)
        {
            lock (gate)
                return isTrue();
        }
    }

    /// <summary>Every session exists and waits for identification. Saved changes are accepted and dropped.</summary>
    private sealed class FakeSessions : ISessionStore
    {
        /// <summary>The session whose lookup throws.</summary>
        public Guid? Broken { get; set; }

        public Task<Session?> FindAsync(Guid id, CancellationToken cancellationToken) => id == Broken
            ? throw new InvalidDataException("A row that nobody can read.")
            : Task.FromResult<Session?>(GivenSession.Pending() with { Id = id });

        public Task<Session?> SaveAsync(SessionChange change, CancellationToken cancellationToken) => Task.FromResult<Session?>(change.After);

        public Task<(Session Session, bool Created)> CreateAsync(Session session, TimeSpan lifetime, TimeSpan? busyFor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Session?> FindAsync(Guid id, string client, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> TryClaimAsync(Session session, TimeSpan busyFor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ReleaseAsync(Session session, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<SessionEventRow>> EventsAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
