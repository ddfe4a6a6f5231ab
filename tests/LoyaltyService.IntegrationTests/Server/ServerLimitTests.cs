using System.Diagnostics;
using System.Globalization;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Server;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Server;

/// <summary>Slow, excessive and oversized callers are disconnected without harm to others.</summary>
public sealed class ServerLimitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Slow_callers_are_disconnected_and_others_are_served()
    {
        await using var app = await StartAsync(new ServerLimits
        {
            HeaderTime = TimeSpan.FromSeconds(1),
            IdleTime = TimeSpan.FromSeconds(1),
            SlowGrace = TimeSpan.FromSeconds(1.1),
        });
        using var idle = await RawCaller.ConnectAsync(app);
        using var headers = await RawCaller.ConnectAsync(app);
        await headers.SendAsync("POST /loyalty/identify HTTP/1.1\r\nHost:");
        using var body = await RawCaller.ConnectAsync(app);
        await body.SendAsync(RawCaller.Post("Content-Length: 200\r\n\r\n{"));
        using var between = await RawCaller.ConnectAsync(app);
        await between.SendAsync("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");

        var cut = Task.WhenAll(new[] { idle, headers, body, between }.Select(caller => caller.ReadToEndAsync(Patience)));
        while (!cut.IsCompleted)
            Assert.Equal(404, (await app.GetAsync("/loyalty/sessions/" + BadInputs.AnySession)).Status);
        var answers = await cut;

        Assert.Equal("", answers[0]);
        Assert.StartsWith("HTTP/1.1 408", answers[1], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", answers[2], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", answers[3], StringComparison.Ordinal);
        Assert.Equal(0, await app.CountSessionsAsync());
    }

    [Fact]
    public async Task A_dripping_body_is_disconnected()
    {
        await using var app = await StartAsync(new ServerLimits { SlowGrace = TimeSpan.FromSeconds(1.1) });
        using var caller = await RawCaller.ConnectAsync(app);
        await caller.SendAsync(RawCaller.Post("Content-Length: 60000\r\n\r\n{"));
        var answer = caller.ReadToEndAsync(Patience);

        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!answer.IsCompleted && await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            try
            {
                await caller.SendAsync(" ");
            }
            catch (IOException)
            {
                // Disconnected: the answer ends too.
                break;
            }
        }

        Assert.StartsWith("HTTP/1.1 400", await answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callers_that_do_not_read_are_disconnected_and_others_are_served()
    {
        await using var app = await StartAsync(new ServerLimits { SlowGrace = TimeSpan.FromSeconds(1.1), LeastBytesPerSecond = 1024 * 1024 });
        using var caller = await RawCaller.ConnectAsync(app);
        // About 30 MB, more than the socket buffers hold.
        await caller.SendAsync(string.Concat(Enumerable.Repeat("GET /openapi/v1.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 100)));

        await Eventually.BecomesTrueAsync(
            async () =>
            {
                Assert.Equal(200, (await app.GetAsync("/health")).Status);
                return caller.IsCut();
            },
            "the caller is cut");
    }

    [Fact]
    public async Task A_request_timeout_returns_a_problem()
    {
        await using var app = await StartAsync(new ServerLimits { RequestTime = TimeSpan.FromSeconds(0.5) });
        using var caller = await RawCaller.ConnectAsync(app);
        await caller.SendAsync(RawCaller.Post("Connection: close\r\nContent-Length: 200\r\n\r\n{"));

        var answer = await caller.ReadToEndAsync(Patience);

        Assert.StartsWith("HTTP/1.1 503", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"overloaded\"", answer, StringComparison.Ordinal);
        Assert.Contains("Retry-After: 1", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Excess_requests_fail_fast_while_probes_answer()
    {
        await using var app = await StartAsync(new ServerLimits { MaxRequestsInWork = 2 });
        using var first = await RawCaller.ConnectAsync(app);
        using var second = await RawCaller.ConnectAsync(app);
        foreach (var caller in new[] { first, second })
        {
            await caller.SendAsync(RawCaller.Post("Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
            await caller.IsToGoOnAsync();
            await caller.SendAsync("{");
        }

        var refused = await app.GetAsync("/loyalty/sessions/" + BadInputs.AnySession);

        BadInputTests.AssertProblem(refused, 503, "overloaded");
        Assert.InRange(int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture), 1, 3);
        foreach (var path in new[] { "/health", "/health/ready", "/health/live", "/metrics" })
            Assert.Equal(200, (await app.GetAsync(path)).Status);
        Assert.Equal(1, (await Scrape.ReadAsync(app))["""http_requests_total{endpoint="/health/ready",method="GET",status="200"}"""]);

        // Requests in flight complete and free their slots.
        foreach (var caller in new[] { first, second })
        {
            await caller.SendAsync("}");
            Assert.StartsWith("HTTP/1.1 400", await caller.ReadToEndAsync(Patience), StringComparison.Ordinal);
        }

        Assert.Equal(404, (await app.GetAsync("/loyalty/sessions/" + BadInputs.AnySession)).Status);
    }

    [Theory]
    [InlineData("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: {0}\r\n\r\n", 20_000, "431")]
    [InlineData("GET /health?{0} HTTP/1.1\r\nHost: localhost\r\n\r\n", 9_000, "414")]
    public async Task Oversized_headers_and_request_lines_are_refused(string request, int length, string status)
    {
        await using var app = await StartAsync(new ServerLimits());
        using var caller = await RawCaller.ConnectAsync(app);
        await caller.SendAsync(string.Format(CultureInfo.InvariantCulture, request, new string('x', length)));

        Assert.StartsWith("HTTP/1.1 " + status, await caller.ReadToEndAsync(Patience), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_headers_are_refused()
    {
        await using var app = await StartAsync(new ServerLimits());
        using var caller = await RawCaller.ConnectAsync(app);
        await caller.SendAsync($"GET /health HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Range(0, 70).Select(number => $"x{number}: 1\r\n"))}\r\n");

        Assert.StartsWith("HTTP/1.1 431", await caller.ReadToEndAsync(Patience), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_excess_connection_is_closed_until_another_one_ends()
    {
        await using var app = await StartAsync(new ServerLimits { MaxConnections = 3 });
        var callers = new List<RawCaller>();
        for (var number = 0; number < 4; number++)
            callers.Add(await RawCaller.ConnectAsync(app));

        // Connections are counted concurrently, so the refused one need not be the last.
        var ends = callers.ConvertAll(caller => caller.ReadToEndAsync(Patience));
        var tooMany = await Task.WhenAny(ends);
        Assert.Equal("", await tooMany);
        Assert.Equal(1, ends.Count(end => end.IsCompleted));

        callers[ends.FindIndex(end => !end.IsCompleted)].Dispose();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                try
                {
                    return (await app.GetAsync("/health")).Status == 200;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "there is room again");
        callers.ForEach(caller => caller.Dispose());
    }

    [Fact]
    public async Task One_address_cannot_take_all_connections()
    {
        const string Probe = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        await using var app = await StartAsync(new ServerLimits { MaxConnections = 8, MaxConnectionsOfAddress = 3 });
        var callers = new List<RawCaller>();
        for (var number = 0; number < 20; number++)
            callers.Add(await RawCaller.ConnectAsync(app, "127.0.0.2"));
        var ends = callers.ConvertAll(caller => caller.ReadToEndAsync(Patience));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(ends.Count(end => end.IsCompleted) == 17), "all but three are closed");
        foreach (var end in ends.Where(end => end.IsCompleted))
            Assert.Equal("", await end);

        using var other = await RawCaller.ConnectAsync(app, "127.0.0.1");
        await other.SendAsync(Probe);
        Assert.StartsWith("HTTP/1.1 200", await other.ReadToEndAsync(Patience), StringComparison.Ordinal);

        // A closed connection frees a slot for its address.
        callers[ends.FindIndex(end => !end.IsCompleted)].Dispose();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                using var again = await RawCaller.ConnectAsync(app, "127.0.0.2");
                await again.SendAsync(Probe);
                return (await again.ReadToEndAsync(Patience)).StartsWith("HTTP/1.1 200", StringComparison.Ordinal);
            },
            "there is room again");
        callers.ForEach(caller => caller.Dispose());
    }

    [Fact]
    public async Task A_trusted_proxy_may_use_all_connections()
    {
        await using var app = await LoyaltyApp.StartAsync(
            Backend.Sqlite, new() { ["TRUSTED_PROXIES"] = "127.0.0.2" }, services: services => services.AddSingleton(new ServerLimits { MaxConnectionsOfAddress = 3 }));
        var callers = new List<RawCaller>();
        for (var number = 0; number < 5; number++)
            callers.Add(await RawCaller.ConnectAsync(app, "127.0.0.2"));

        foreach (var caller in callers)
        {
            await caller.SendAsync("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 200", await caller.ReadToEndAsync(Patience), StringComparison.Ordinal);
            caller.Dispose();
        }
    }

    [Fact]
    public async Task Two_thousand_idle_connections_do_no_harm()
    {
        await using var app = await StartAsync(new ServerLimits { MaxConnectionsOfAddress = 5_000 });
        await app.GetAsync("/health");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var callers = new List<RawCaller>();
        for (var number = 0; number < 2_000; number++)
        {
            callers.Add(await RawCaller.ConnectAsync(app));
            // Half of them have started a request.
            if (number % 2 == 0)
                await callers[^1].SendAsync("POST /loyalty/identify HTTP/1.1\r\nHost: localhost\r\nContent-Le");
        }

        var slowest = TimeSpan.Zero;
        for (var number = 0; number < 100; number++)
        {
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(404, (await app.GetAsync("/loyalty/sessions/" + BadInputs.AnySession)).Status);
            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(started).Ticks));
        }

        var more = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper!.WriteLine($"Slowest answer {slowest.TotalMilliseconds:F0} ms; {more / 1024.0 / 2_000:F1} KiB a connection, both ends.");
        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.InRange(more, long.MinValue, 2_000 * 32 * 1024);
        callers.ForEach(caller => caller.Dispose());
    }

    private static Task<LoyaltyApp> StartAsync(ServerLimits limits) =>
        LoyaltyApp.StartAsync(Backend.Sqlite, services: services => services.AddSingleton(limits));
}
