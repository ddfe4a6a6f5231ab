using LoyaltyService.Idempotency;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Jobs;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace LoyaltyService.IntegrationTests.Jobs;

/// <summary>The jobs of a running service, seen by operators and tills.</summary>
public abstract class JobsTests(Backend backend) : IAsyncLifetime
{
    private LoyaltyApp app = null!;

    internal LoyaltyApp App => app;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(
        backend, services: services => services.AddSingleton(new JobLimits { BySchedule = false, BatchSize = 2 }));

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_expired_session_fails_and_refuses_calculate_and_finalize()
    {
        using var expired = new Counted(app, "session_expiry_count");
        var sales = new List<Sale>();
        for (var number = 0; number < 5; number++)
            sales.Add(await new Sale(app).IdentifiedAsync());
        await app.MakeOlderAsync(TimeSpan.FromHours(25));

        await App.RunJobAsync("expire-sessions");
        var status = await sales[0].StatusAsync();

        Assert.Equal(("failed", "expired"), (Text(status, "status"), status.Json.GetProperty("failure").GetProperty("reason").GetString()));
        Assert.Equal((409, "invalid_state"), ((await sales[1].CalculateAsync()).Status, (await sales[1].FinalizeAsync()).Code));
        Assert.Equal(5, expired.Total);
    }

    [Fact]
    public async Task An_archived_sale_gives_the_same_answers_and_refusals()
    {
        var sale = new Sale(app);
        var identified = await sale.IdentifyAsync();
        sale = sale with { SessionId = identified.SessionId };
        await sale.CalculateAsync();
        var receipt = await sale.FinalizeAsync();
        // Thirty days, plus the time since the sale.
        await app.MakeOlderAsync(TimeSpan.FromDays(30));
        var before = await sale.StatusAsync();

        await App.RunJobAsync("archive-sessions");
        // A new service, without the first one's memory.
        await using var later = await LaterAsync();
        sale = sale with { App = later };

        Assert.Equal(0, await later.CountSessionsAsync());
        Assert.Equal((200, before.Text), Seen(await sale.StatusAsync()));
        // Without the last member: the test changed the expiry time.
        Assert.StartsWith(identified.Text[..identified.Text.IndexOf("expiresAt", StringComparison.Ordinal)], (await sale.IdentifyAsync()).Text, StringComparison.Ordinal);
        Assert.Equal((200, receipt.Text, true), Replayed(await sale.FinalizeAsync()));
        Assert.Equal((422, "idempotency_key_reused"), Of(await sale.FinalizeAsync(amount: 1.00m)));
        Assert.Equal((422, "idempotency_key_reused"), Of(await (sale with { CustomerId = "CUST-GOLD" }).IdentifyAsync()));
        Assert.Equal((409, "invalid_state"), Of(await sale.CalculateAsync()));
        Assert.Equal(1, (await later.Pdi.SummaryAsync()).GetProperty("finalized").GetInt32());
    }

    [Fact]
    public async Task Idempotency_entries_are_removed_after_ten_minutes()
    {
        await new Sale(app) { Headers = [("Idempotency-Key", "old")] }.IdentifyAsync();
        await TenMinutesPassAsync();
        await new Sale(app) { Headers = [("Idempotency-Key", "young")] }.IdentifyAsync();

        Assert.Equal(1, await App.RunJobAsync("clear-cache"));
        Assert.Equal(0, await App.RunJobAsync("clear-cache"));

        // It still existed.
        await TenMinutesPassAsync();
        Assert.Equal(1, await App.RunJobAsync("clear-cache"));

        Task TenMinutesPassAsync() => app.ExecuteAsync(
            $"update idempotency_keys set created_at = created_at - {(backend is Backend.Postgres ? "interval '10 minutes'" : "600000")}");
    }

    [Fact]
    public async Task An_operator_sees_each_jobs_next_and_last_run()
    {
        await App.RunJobAsync("archive-sessions");

        var jobs = (await app.GetAsync("/ops/jobs")).Json.GetProperty("jobs");

        Assert.Equal(
            ["expire-sessions */15 * * * *", "archive-sessions 0 2 * * *", "clear-cache 0 * * * *", "reconciliation 0 1 * * *"],
            jobs.EnumerateArray().Select(job => $"{job.GetProperty("name").GetString()} {job.GetProperty("schedule").GetString()}"));
        var archive = jobs[1];
        Assert.Equal((2, 0), (archive.GetProperty("next").GetDateTimeOffset().Hour, archive.GetProperty("next").GetDateTimeOffset().Minute));
        var byHand = archive.GetProperty("runs").EnumerateArray().First(run => run.GetProperty("byHand").GetBoolean());
        Assert.Equal(("done", 1), (byHand.GetProperty("outcome").GetString(), byHand.GetProperty("attempts").GetInt32()));
    }

    [Fact]
    public async Task Requesting_a_run_twice_under_one_key_runs_it_once()
    {
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());

        var first = await app.PostAsync("/ops/jobs/clear-cache/run", "", key);
        var again = await app.PostAsync("/ops/jobs/clear-cache/run", "", key);

        Assert.Equal((202, "/ops/jobs", false), (first.Status, first.Headers["Location"], first.IsReplay));
        Assert.Equal((202, first.Text, true), (again.Status, again.Text, again.IsReplay));
        var runs = (await app.GetAsync("/ops/jobs")).Json.GetProperty("jobs")[2].GetProperty("runs").EnumerateArray();
        Assert.Single(runs, run => run.GetProperty("byHand").GetBoolean());
    }

    [Fact]
    public async Task An_unknown_job_returns_404_and_a_running_one_409()
    {
        var runs = app.Services.GetRequiredService<IJobRunStore>();
        Assert.NotNull(await runs.ClaimAsync("clear-cache", TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));

        var running = await app.PostAsync("/ops/jobs/clear-cache/run", "");

        Assert.Equal((404, "not_found"), Of(await app.PostAsync("/ops/jobs/make-coffee/run", "")));
        Assert.Equal((409, "operation_in_progress", true), (running.Status, running.Code, running.Headers.ContainsKey("Retry-After")));
    }

    private async Task<LoyaltyApp> LaterAsync()
    {
        if (backend is Backend.Sqlite)
            await app.StopAsync();
        return await LoyaltyApp.StartAsync(
            backend, new() { ["REDIS_URL"] = "memory:" }, database: app.Database, pdi: app.Pdi);
    }

    private static (int, string) Seen(Answer answer) => (answer.Status, answer.Text);

    private static (int, string, bool) Replayed(Answer answer) => (answer.Status, answer.Text, answer.IsReplay);

    private static (int, string?) Of(Answer answer) => (answer.Status, answer.Code);

    private static string? Text(Answer answer, string member) => answer.Json.GetProperty(member).GetString();
}

public sealed class JobsOnPostgresTests() : JobsTests(Backend.Postgres)
{
    [Fact]
    public async Task The_sweep_sets_a_missing_expiry_in_Redis()
    {
        await new Sale(App).IdentifyAsync();
        var redis = App.Services.GetRequiredService<IConnectionMultiplexer>();
        var pattern = ((RedisReplayCache)App.Services.GetRequiredService<IReplayCache>()).Prefix + "*";
        var key = await Eventually.GetAsync(
            () => Task.FromResult(redis.GetServers()[0].Keys(pattern: pattern).FirstOrDefault()), found => !((byte[]?)found is null), "the answer is in Redis");
        Assert.True(await redis.GetDatabase().KeyPersistAsync(key));

        Assert.Equal(1, await App.RunJobAsync("clear-cache"));

        Assert.InRange((await redis.GetDatabase().KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));
        Assert.Equal(0, await App.RunJobAsync("clear-cache"));
    }

    [Fact]
    public async Task The_sweep_of_Redis_reports_page_by_page()
    {
        var cache = (RedisReplayCache)App.Services.GetRequiredService<IReplayCache>();
        var database = App.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();
        var keys = Enumerable.Range(0, 3000).Select(number => (RedisKey)$"{cache.Prefix}old:{number}").ToList();
        await Task.WhenAll(keys.Select(key => database.StringSetAsync(key, "x")));

        var pages = new List<int>();
        await cache.SweepAsync(
            swept =>
            {
                pages.Add(swept);
                return Task.CompletedTask;
            },
            TestContext.Current.CancellationToken);

        Assert.DoesNotContain(null, await Task.WhenAll(keys.Select(key => database.KeyTimeToLiveAsync(key))));
        // A page has a thousand keys and at most a few that share a slot with them. A page that timed out in Redis is requested again and counts
        // the keys that were left.
        Assert.InRange(pages.Max(), 1, 1500);
        Assert.InRange(pages.Sum(), pages.Max() + 1, 3000);
    }
}

public sealed class JobsOnSqliteTests() : JobsTests(Backend.Sqlite);
