using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Trace;

namespace LoyaltyService.IntegrationTests.Observability;

/// <summary>The exported spans. The simulator runs in this process, so the tests see its spans as well.</summary>
public sealed class TraceTests
{
    private const string Nowhere = "http://127.0.0.1:1";

    private readonly List<Activity> spans = [];
    private readonly string trace = ActivityTraceId.CreateRandom().ToHexString();
    private readonly string till = ActivitySpanId.CreateRandom().ToHexString();

    private (string, string)[] FromTill => [("traceparent", $"00-{trace}-{till}-01")];

    [Fact]
    public async Task A_finalize_is_one_trace_from_the_till_to_PDI()
    {
        await using var app = await StartAsync(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Nowhere });
        var sale = await new Sale(app).IdentifiedAsync();

        await (sale with { Headers = FromTill }).FinalizeAsync();
        await app.StopAsync();

        var request = Assert.Single(Spans("Microsoft.AspNetCore", trace), span => span.ParentSpanId.ToHexString() == till);
        Assert.Equal("/loyalty/finalize", request.GetTagItem("http.route"));
        Assert.Equal(("finalize", "200", sale.SessionId), (request.GetTagItem("loyalty.operation"), request.GetTagItem("loyalty.outcome"), request.GetTagItem("loyalty.session_id")));
        var toPdi = Assert.Single(Spans("System.Net.Http", trace));
        Assert.Equal(request.SpanId, toPdi.ParentSpanId);
        Assert.Contains(Spans("Microsoft.AspNetCore", trace), span => span.ParentSpanId == toPdi.SpanId);
        Assert.Equal(["redis GET", "postgresql SELECT", "postgresql COMMIT", "postgresql COMMIT", "redis SET"], Spans("LoyaltyService", trace).Select(span => span.DisplayName));
    }

    [Fact]
    public async Task The_worker_starts_a_trace_that_links_to_the_sale_and_reaches_PDI()
    {
        await using var app = await StartAsync(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Nowhere });
        await app.Pdi.OutageAsync();
        var sale = await (new Sale(app) { Headers = FromTill }).IdentifiedAsync();
        await app.Pdi.HealAsync();
        await SettledAsync(sale, "active");
        await app.StopAsync();

        // The successful attempt; earlier ones met the outage.
        var work = Spans("LoyaltyService").Last(span => span.DisplayName == "pdi-work" && Equals(span.GetTagItem("loyalty.session_id"), sale.SessionId));
        var own = work.TraceId.ToHexString();
        Assert.NotEqual(trace, own);
        Assert.Equal(default, work.ParentSpanId);
        Assert.Equal(trace, Assert.Single(work.Links).Context.TraceId.ToHexString());
        var toPdi = Spans("System.Net.Http", own).Last();
        Assert.Contains(Spans("Microsoft.AspNetCore", own), span => span.ParentSpanId == toPdi.SpanId);
    }

    [Fact]
    public async Task The_workers_finalize_links_to_the_finalize_and_not_the_identify()
    {
        await using var app = await StartAsync(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Nowhere });
        var sale = await new Sale(app).IdentifiedAsync();
        await app.Pdi.OutageAsync();
        Assert.Equal(202, (await (sale with { Headers = FromTill }).FinalizeAsync()).Status);
        await app.Pdi.HealAsync();
        await app.LeasesRunOutAsync();
        await SettledAsync(sale, "finalized");
        await app.StopAsync();

        var steps = Spans("LoyaltyService").Where(span => span.DisplayName == "pdi-work" && Equals(span.GetTagItem("loyalty.session_id"), sale.SessionId)).ToList();
        Assert.NotEmpty(steps);
        Assert.All(steps, step => Assert.Equal(trace, Assert.Single(step.Links).Context.TraceId.ToHexString()));
    }

    [Fact]
    public async Task A_job_run_is_a_trace_with_its_SQL_and_log_lines()
    {
        await using var log = new CapturedLog();
        await using var app = await StartAsync(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Nowhere }, log.Capture);

        Assert.Equal(202, (await app.PostAsync("/ops/jobs/expire-sessions/run", "", FromTill)).Status);
        var done = await Eventually.GetAsync(
            () => Task.FromResult(log.Lines.FirstOrDefault(line => line.TryGetProperty("event", out var name) && name.GetString() == "JobDone")),
            static line => line.ValueKind is JsonValueKind.Object, "the job is done");
        await app.StopAsync();

        var run = Assert.Single(Spans("LoyaltyService"), span => span.DisplayName == "job expire-sessions" && span.Links.Any(link => link.Context.TraceId.ToHexString() == trace));
        var request = Assert.Single(Spans("Microsoft.AspNetCore", trace));
        Assert.Equal(default, run.ParentSpanId);
        Assert.NotEqual(request.TraceId, run.TraceId);
        Assert.Equal((request.TraceId, request.SpanId), (Assert.Single(run.Links).Context.TraceId, run.Links.Single().Context.SpanId));
        Assert.Equal((run.TraceId.ToHexString(), run.SpanId.ToHexString()), (done.GetProperty("traceId").GetString(), done.GetProperty("spanId").GetString()));
        Assert.All(Spans("Npgsql", run.TraceId.ToHexString()), command => Assert.Equal(run.SpanId, command.ParentSpanId));
        Assert.NotEmpty(Spans("Npgsql", run.TraceId.ToHexString()));
    }

    [Fact]
    public async Task Without_an_endpoint_nothing_is_recorded()
    {
        await using var app = await StartAsync([]);
        var sale = await (new Sale(app) { Headers = FromTill }).IdentifiedAsync();
        await sale.FinalizeAsync();
        Assert.Null(app.Services.GetService<TracerProvider>());
        await app.StopAsync();

        Assert.Empty(spans);
    }

    [Fact]
    public async Task The_worker_sends_a_traceparent_even_without_recording()
    {
        var atPdi = new ConcurrentBag<(string Path, ActivityTraceId Trace, ActivitySpanId Parent)>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Microsoft.AspNetCore",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
            ActivityStopped = span => atPdi.Add((span.DisplayName, span.TraceId, span.ParentSpanId)),
        };
        await using var log = new CapturedLog();
        await using var app = await StartAsync([], log.Capture);
        await app.Pdi.OutageAsync();
        var sale = await new Sale(app).IdentifiedAsync();
        await sale.FinalizeAsync();
        await app.Pdi.HealAsync();
        ActivitySource.AddActivityListener(listener);
        await SettledAsync(sale, "finalized");
        await app.StopAsync();

        var line = log.Lines.Single(line => line.TryGetProperty("event", out var name) && name.GetString() == "WaitingSaleFinalized");
        var seen = atPdi.Where(call => call.Trace.ToHexString() == line.GetProperty("traceId").GetString()).ToList();
        // At least identify and finalize.
        Assert.True(seen.Count >= 2, log.Text);
        Assert.All(seen, call => Assert.NotEqual(default, call.Parent));
    }

    [Fact]
    public async Task A_collector_gets_the_spans_over_OTLP_without_secrets()
    {
        await using var collector = await Collector.StartAsync();
        await using var app = await StartAsync(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        });
        var sale = await (new Sale(app) { Headers = FromTill }).IdentifiedAsync();
        await sale.FinalizeAsync();
        await app.GetAsync("/health/ready", FromTill);
        await app.StopAsync();

        // The protocol encodes texts and the 16 bytes of a trace id verbatim.
        var sent = collector.Received(Encoding.Latin1);
        Assert.Contains(Encoding.Latin1.GetString(Convert.FromHexString(trace)), sent, StringComparison.Ordinal);
        Assert.Contains("loyalty-service", sent, StringComparison.Ordinal);
        Assert.Contains("/loyalty/finalize", sent, StringComparison.Ordinal);
        Assert.DoesNotContain("GET /health", sent, StringComparison.Ordinal);
        Assert.All(["simulator-secret", "Bearer", "John Doe", "Password"], secret => Assert.DoesNotContain(secret, sent, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task The_standard_variables_control_sampling()
    {
        await using var app = await StartAsync(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Nowhere, ["OTEL_TRACES_SAMPLER"] = "always_off" });

        await (new Sale(app) { Headers = FromTill }).IdentifyAsync();
        await app.StopAsync();

        Assert.Empty(Spans("Microsoft.AspNetCore", trace));
        Assert.Empty(Spans("Npgsql", trace));
    }

    [Fact]
    public async Task A_ratio_samples_part_of_the_undecided_traces()
    {
        await using var app = await StartAsync(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Nowhere,
            ["OTEL_TRACES_SAMPLER"] = "parentbased_traceidratio",
            ["OTEL_TRACES_SAMPLER_ARG"] = "0.25",
        });

        await app.GetAsync("/loyalty/sessions/sess_x", FromTill);
        for (var request = 0; request < 400; request++)
            await app.GetAsync("/loyalty/getSessionStatus");
        await app.StopAsync();

        // The till's sampling decision stands.
        Assert.Single(Spans("Microsoft.AspNetCore", trace));
        // 100 ± 5 standard deviations.
        Assert.InRange(Spans("Microsoft.AspNetCore").Count(span => Equals(span.GetTagItem("server.port"), app.Address.Port) && Equals(span.GetTagItem("http.route"), "/loyalty/getSessionStatus")), 55, 145);
    }

    private Task<LoyaltyApp> StartAsync(Dictionary<string, string?> variables, Action<IServiceCollection>? services = null) => LoyaltyApp.StartAsync(
        Backend.Postgres,
        new(variables) { ["LOG_LEVEL"] = "info" },
        services: collection =>
        {
            collection.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddInMemoryExporter(spans));
            collection.AddSingleton(new PdiOptions { BreakerOpenTime = TimeSpan.FromSeconds(1) });
            collection.AddSingleton(new PdiWorkLimits { Poll = TimeSpan.FromMilliseconds(100), FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromMilliseconds(300) });
            services?.Invoke(collection);
        });

    private static Task<Answer> SettledAsync(Sale sale, string status) => Eventually.GetAsync(
        sale.StatusAsync, answer => answer.Json.GetProperty("status").GetString() == status, $"the session is {status}");

    private List<Activity> Spans(string source, string? ofTrace = null) =>
        [.. spans.Where(span => span.Source.Name == source && (ofTrace is null || span.TraceId.ToHexString() == ofTrace))];
}
