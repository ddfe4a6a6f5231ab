using System.Diagnostics;
using LoyaltyService.Health;
using LoyaltyService.Http;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace LoyaltyService.IntegrationTests.Health;

/// <summary>The probes, with real servers behind connections that the tests cut.</summary>
public sealed class HealthTests : IAsyncLifetime
{
    // A look's own bounds are 1 s and 2 s, and a busy machine is late; without them it would wait for a statement's 10 s.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(6);

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
    public async Task The_report_has_the_required_members_in_order(string probe)
    {
        var answer = await app.GetAsync(probe);

        Assert.Equal((200, "healthy"), (answer.Status, Status(answer)));
        Assert.Matches(
            """^\{"status":"healthy","timestamp":"[-0-9]{10}T[0-9:.]{12}Z","uptime":[0-9]+,"checks":\{"database":\{"status":"up","latency":[0-9]+\},"redis":\{"status":"up","latency":[0-9]+\},"pdi":\{"status":"up","circuitBreaker":"CLOSED","latency":[0-9]+\}\}\}$""",
            answer.Text);
    }

    [Fact]
    public async Task Without_the_database_the_service_is_unready_but_alive()
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
    public async Task A_dropped_database_makes_the_service_unready_but_not_dead()
    {
        await database.DropAsync();
        var ready = await ProbedAsync("/health/ready", answer => answer.Status == 503);
        // Again, now on new connections.
        await app.Services.GetRequiredService<HealthSampler>().SampleAsync(TestContext.Current.CancellationToken);
        var sale = await new Sale(app).IdentifyAsync();

        Assert.Equal("down", Check(ready, "database"));
        Assert.Equal((503, "database_unavailable"), (sale.Status, sale.Code));
        Assert.False(app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public async Task Without_Redis_the_service_is_degraded_but_ready()
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
    public async Task Without_PDI_the_service_is_degraded_but_ready_and_shows_the_breaker()
    {
        await app.Pdi.OutageAsync();
        // Four attempts per call: the second call opens the breaker.
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
    public async Task A_failed_PDI_call_means_degraded_until_the_next_success()
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
    public async Task A_hung_database_is_reported_down_in_time_and_blocks_no_probe()
    {
        postgres.Block();
        var sampling = app.Services.GetRequiredService<HealthSampler>().SampleAsync(TestContext.Current.CancellationToken);

        var meanwhile = await app.GetAsync("/health/ready");
        var wasFirst = !sampling.IsCompleted;
        var started = Stopwatch.GetTimestamp();
        await sampling;
        var took = Stopwatch.GetElapsedTime(started);
        // The service samples too: a sample that got its answer just before may end a moment after this.
        var after = await ProbedAsync("/health/ready", answer => answer.Status == 503);
        postgres.Mend();

        Assert.InRange(took, TimeSpan.Zero, Bound);
        Assert.True(wasFirst);
        Assert.True(meanwhile.Status is 200 or 503);
        Assert.Equal((503, "down"), (after.Status, Check(after, "database")));
        Assert.InRange(after.Json.GetProperty("checks").GetProperty("database").GetProperty("latency").GetInt64(), 900, (long)Bound.TotalMilliseconds);
    }

    [Fact]
    public async Task A_database_that_hangs_later_delays_no_check_beyond_its_timeout()
    {
        // The queue cannot be counted, and the blocked connection swallows the cancellation as well.
        await using var other = await database.OpenPostgresAsync();
        await using var locked = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var lockQueue = new NpgsqlCommand("lock table pdi_work in access exclusive mode", other);
        await lockQueue.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var waiting = new NpgsqlCommand("select count(*) from pg_locks where relation = 'pdi_work'::regclass and not granted", other);
        var sampler = app.Services.GetRequiredService<HealthSampler>();
        // The service samples on a timer. A wait for the lock shows that a sample is in progress.
        await Eventually.BecomesTrueAsync(async () => (long)(await waiting.ExecuteScalarAsync())! > 0, "a look counts the queue");
        postgres.Block();
        var during = sampler.Last;

        var started = Stopwatch.GetTimestamp();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(!ReferenceEquals(sampler.Last, during)), "the look is over");

        var took = Stopwatch.GetElapsedTime(started);
        postgres.Mend();

        Assert.InRange(took, TimeSpan.Zero, Bound);
    }

    [Fact]
    public async Task A_full_connection_pool_means_degraded_but_ready()
    {
        var store = app.Services.GetRequiredService<LoyaltyService.Storage.PostgresDatabase>();
        using var stop = new CancellationTokenSource();
        // Eighty callers want twenty connections, and each holds one slightly longer than the check's timeout. The last ones wait three
        // rounds.
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
                    // Got no connection, as the test intends.
                }
            }
        }
    }

    [Fact]
    public async Task A_stopping_service_is_not_ready()
    {
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        var ready = await app.GetAsync("/health/ready");
        var live = await app.GetAsync("/health/live");

        Assert.Equal((503, "unhealthy", "up"), (ready.Status, Status(ready), Check(ready, "database")));
        Assert.Equal(200, live.Status);
    }

    [Fact]
    public async Task On_embedded_storage_all_dependencies_are_up()
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
