using System.Diagnostics;
using LoyaltyService.Health;
using LoyaltyService.Http;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Health;

/// <summary>The probes, with real servers behind wires that the tests cut.</summary>
public sealed class HealthTests : IAsyncLifetime
{
    private readonly CapturedLog log = new();
    private TestDatabase database = null!;
    private Wire postgres = null!;
    private Wire redis = null!;
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync(Backend.Postgres);
        postgres = new Wire(database.Url);
        redis = new Wire(TestServers.RedisUrl);
        app = await LoyaltyApp.StartAsync(
            Backend.Postgres,
            new() { ["DATABASE_URL"] = postgres.Url, ["REDIS_URL"] = redis.Url },
            database,
            services: services =>
            {
                log.Capture(services);
                services.AddSingleton(new HealthLimits { SampleEvery = TimeSpan.FromMilliseconds(200) });
            });
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await redis.DisposeAsync();
        await postgres.DisposeAsync();
        await database.DisposeAsync();
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData("/health/ready")]
    [InlineData("/health/live")]
    public async Task The_report_has_the_briefs_members_in_their_order(string probe)
    {
        var answer = await app.GetAsync(probe);

        Assert.Equal((200, "healthy"), (answer.Status, Status(answer)));
        Assert.Matches(
            """^\{"status":"healthy","timestamp":"[-0-9]{10}T[0-9:.]{12}Z","uptime":[0-9]+,"checks":\{"database":\{"status":"up","latency":[0-9]+\},"redis":\{"status":"up","latency":[0-9]+\},"pdi":\{"status":"up","circuitBreaker":"CLOSED","latency":[0-9]+\}\}\}$""",
            answer.Text);
    }

    [Fact]
    public async Task Without_the_database_the_service_is_not_ready_and_is_not_restarted_either()
    {
        postgres.Cut();
        var ready = await ProbedAsync("/health/ready", answer => answer.Status == 503);
        var live = await app.GetAsync("/health/live");
        var process = await app.GetAsync("/health");
        postgres.Mend();
        var back = await ProbedAsync("/health/ready", answer => answer.Status == 200);

        Assert.Contains(log.Lines, line => (line.GetProperty("level").GetString(), line.GetProperty("message").GetString()) == ("FATAL", "The database is Down"));
        Assert.Equal(("unhealthy", "down", "up"), (Status(ready), Check(ready, "database"), Check(ready, "redis")));
        Assert.Equal((200, "unhealthy", "down"), (live.Status, Status(live), Check(live, "database")));
        Assert.Equal((200, "healthy"), (process.Status, Status(process)));
        Assert.Equal("healthy", Status(back));
    }

    [Fact]
    public async Task A_database_that_was_dropped_makes_the_service_unready_and_does_not_end_it()
    {
        await database.DropAsync();
        var ready = await ProbedAsync("/health/ready", answer => answer.Status == 503);
        // Once more, now that every connection is a new one.
        await app.Services.GetRequiredService<HealthSampler>().SampleAsync(TestContext.Current.CancellationToken);
        var sale = await new Sale(app).IdentifyAsync();

        Assert.Equal("down", Check(ready, "database"));
        Assert.Equal((503, "database_unavailable"), (sale.Status, sale.Code));
        Assert.False(app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public async Task Without_Redis_the_service_is_degraded_and_ready()
    {
        redis.Cut();
        var ready = await ProbedAsync("/health/ready", answer => Status(answer) == "degraded");
        var sale = await new Sale(app).IdentifyAsync();
        redis.Mend();
        var back = await ProbedAsync("/health/ready", answer => Status(answer) == "healthy");

        Assert.Contains(log.Lines, line => (line.GetProperty("level").GetString(), line.GetProperty("message").GetString()) == ("ERROR", "The redis is Down"));
        Assert.Equal((200, "down", "up"), (ready.Status, Check(ready, "redis"), Check(ready, "database")));
        Assert.Equal(200, sale.Status);
        Assert.Equal(200, back.Status);
    }

    [Fact]
    public async Task Without_PDI_the_service_is_degraded_and_ready_and_shows_the_breaker()
    {
        await app.Pdi.OutageAsync();
        // Four tries a call: the second call opens the breaker.
        await new Sale(app).IdentifyAsync();
        await new Sale(app).IdentifyAsync();

        var ready = await app.GetAsync("/health/ready");
        var calls = await app.Pdi.CallsAsync("identify");
        await app.GetAsync("/health/live");

        Assert.Equal((200, "degraded", "down"), (ready.Status, Status(ready), Check(ready, "pdi")));
        Assert.Equal("OPEN", ready.Json.GetProperty("checks").GetProperty("pdi").GetProperty("circuitBreaker").GetString());
        Assert.Equal(calls, await app.Pdi.CallsAsync("identify"));
    }

    [Fact]
    public async Task One_bad_call_to_PDI_is_degraded_until_the_next_good_one()
    {
        await app.Pdi.FaultAsync("identify", new { kind = "status", status = 500 });
        await new Sale(app).IdentifyAsync();
        var bad = await app.GetAsync("/health/ready");
        await app.Pdi.HealAsync();
        await new Sale(app).IdentifyAsync();
        var good = await app.GetAsync("/health/ready");

        Assert.Equal(("degraded", "degraded"), (Status(bad), Check(bad, "pdi")));
        Assert.Equal(("healthy", "up"), (Status(good), Check(good, "pdi")));
    }

    [Fact]
    public async Task A_database_that_hangs_is_down_within_its_bound_and_no_probe_waits_for_it()
    {
        postgres.Block();
        var sampling = app.Services.GetRequiredService<HealthSampler>().SampleAsync(TestContext.Current.CancellationToken);

        var meanwhile = await app.GetAsync("/health/ready");
        var wasFirst = !sampling.IsCompleted;
        var started = Stopwatch.GetTimestamp();
        await sampling;
        var took = Stopwatch.GetElapsedTime(started);
        // The service looks too: a look that had its answer just before may be over a moment after this one.
        var after = await ProbedAsync("/health/ready", answer => answer.Status == 503);
        postgres.Mend();

        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(2.5));
        Assert.True(wasFirst);
        Assert.True(meanwhile.Status is 200 or 503);
        Assert.Equal((503, "down"), (after.Status, Check(after, "database")));
        Assert.InRange(after.Json.GetProperty("checks").GetProperty("database").GetProperty("latency").GetInt64(), 900, 1_900);
    }

    [Fact]
    public async Task A_database_that_hangs_once_it_was_looked_at_holds_up_no_look_for_longer_than_its_bound()
    {
        // The queue cannot be counted, and nobody hears that the count is given up: the wire is blocked too.
        await using var other = await database.OpenPostgresAsync();
        await using var locked = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var lockQueue = new NpgsqlCommand("lock table pdi_work in access exclusive mode", other);
        await lockQueue.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var waiting = new NpgsqlCommand("select count(*) from pg_locks where relation = 'pdi_work'::regclass and not granted", other);
        var sampler = app.Services.GetRequiredService<HealthSampler>();
        // By its own timer: whoever waits for the lock, waits in the middle of a look.
        await Eventually.BecomesTrueAsync(async () => (long)(await waiting.ExecuteScalarAsync())! > 0, "a look counts the queue");
        postgres.Block();
        var during = sampler.Last;

        var started = Stopwatch.GetTimestamp();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(!ReferenceEquals(sampler.Last, during)), "the look is over");

        var took = Stopwatch.GetElapsedTime(started);
        postgres.Mend();

        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(2.5));
    }

    [Fact]
    public async Task A_full_pool_of_a_database_that_answers_is_degraded_and_ready()
    {
        var store = app.Services.GetRequiredService<LoyaltyService.Storage.PostgresDatabase>();
        using var stop = new CancellationTokenSource();
        // Eighty that want one of twenty connections, and each holds its own for a little more than the check's patience: whoever comes
        // last waits for three rounds.
        var load = Enumerable.Range(0, 80).Select(_ => HoldAsync()).ToList();
        var busy = await ProbedAsync("/health/ready", answer => Check(answer, "database") == "degraded");
        await stop.CancelAsync();
        await Task.WhenAll(load);
        var idle = await ProbedAsync("/health/ready", answer => Status(answer) == "healthy");

        Assert.Equal((200, "degraded"), (busy.Status, Status(busy)));
        Assert.Equal(200, idle.Status);

        async Task HoldAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await store.ExecuteAsync("select pg_sleep(1.2)", [], CancellationToken.None);
                }
                catch (LoyaltyException)
                {
                    // Did not get a connection: that is what the test is about.
                }
            }
        }
    }

    [Fact]
    public async Task A_service_that_is_about_to_stop_is_not_ready_any_more()
    {
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        var ready = await app.GetAsync("/health/ready");
        var live = await app.GetAsync("/health/live");

        Assert.Equal((503, "unhealthy", "up"), (ready.Status, Status(ready), Check(ready, "database")));
        Assert.Equal(200, live.Status);
    }

    [Fact]
    public async Task On_the_embedded_database_everything_is_in_the_process_and_up()
    {
        await using var embedded = await LoyaltyApp.StartAsync(Backend.Sqlite);

        var ready = await embedded.GetAsync("/health/ready");

        Assert.Equal((200, "healthy", "up", "up"), (ready.Status, Status(ready), Check(ready, "database"), Check(ready, "redis")));
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/health/live")]
    [InlineData("/metrics")]
    public async Task Probes_and_metrics_need_no_key(string path)
    {
        await using var guarded = await LoyaltyApp.StartAsync(
            Backend.Sqlite, new() { ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("not a secret")}" });

        Assert.Equal(200, (await guarded.GetAsync(path)).Status);
        Assert.Equal(401, (await guarded.GetAsync("/ops/queue")).Status);
    }

    private Task<Answer> ProbedAsync(string probe, Func<Answer, bool> isSo) => Eventually.GetAsync(() => app.GetAsync(probe), isSo, probe);

    private static string? Status(Answer answer) => answer.Json.GetProperty("status").GetString();

    private static string? Check(Answer answer, string name) =>
        answer.Json.GetProperty("checks").GetProperty(name).GetProperty("status").GetString();
}
