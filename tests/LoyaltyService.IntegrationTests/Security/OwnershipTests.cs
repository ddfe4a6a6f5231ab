using System.Diagnostics;
using System.Text.RegularExpressions;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.IntegrationTests.Loyalty;
using OpenTelemetry.Trace;

namespace LoyaltyService.IntegrationTests.Security;

/// <summary>Another client's session is indistinguishable from a missing one: same answer, same database work.</summary>
public sealed partial class OwnershipTests : IAsyncLifetime
{
    private readonly List<Activity> spans = [];
    private LoyaltyApp app = null!;

    public async ValueTask InitializeAsync() => app = await LoyaltyApp.StartAsync(
        Backend.Postgres,
        new()
        {
            ["API_KEYS"] = $"till:loyalty:{KeyHash.Of("till-secret")},kiosk:loyalty:{KeyHash.Of("kiosk-secret")},operator:ops:{KeyHash.Of("ops-secret")}",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1",
        },
        services: services => services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddInMemoryExporter(spans)));

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    [Fact]
    public async Task Another_clients_session_looks_like_a_missing_one_on_every_route()
    {
        var sale = await new Sale(app) { Headers = [("X-Api-Key", "till-secret")] }.IdentifiedAsync();
        Func<Sale, Task<Answer>>[] calls =
        [
            asked => asked.StatusAsync(),
            asked => asked.App.GetAsync("/loyalty/getSessionStatus?sessionId=" + asked.SessionId, asked.Headers),
            asked => asked.CalculateAsync(),
            asked => asked.FinalizeAsync(),
        ];

        var seen = new List<(string Text, string Headers, ActivityTraceId Trace)>();
        foreach (var call in calls)
        {
            foreach (var sessionId in new[] { sale.SessionId, "sess_" + Guid.NewGuid().ToString("N") })
            {
                var trace = ActivityTraceId.CreateRandom();
                var answer = await call(sale with
                {
                    SessionId = sessionId,
                    Headers = [("X-Api-Key", "kiosk-secret"), ("traceparent", $"00-{trace.ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-01")],
                });
                BadInputTests.AssertProblem(answer, 404, "session_not_found");
                seen.Add((TraceId().Replace(answer.Text, ""), string.Join(' ', answer.Headers.Keys.Order()), trace));
            }
        }

        // Operators see the session.
        Assert.Equal(200, (await app.GetAsync($"/ops/sessions/{sale.SessionId}/events", ("X-Api-Key", "ops-secret"))).Status);
        await app.StopAsync();
        Assert.All(seen.Chunk(2), pair =>
        {
            Assert.Equal((pair[1].Text, pair[1].Headers), (pair[0].Text, pair[0].Headers));
            Assert.Equal(WorkFor(pair[1].Trace), WorkFor(pair[0].Trace));
            Assert.NotEmpty(WorkFor(pair[0].Trace));
        });
    }

    /// <summary>The statements that the database received, in order.</summary>
    private string WorkFor(ActivityTraceId trace) => string.Join('\n', spans
        .Where(span => span.TraceId == trace && span.Source.Name is "Npgsql" or "LoyaltyService" && span.TraceId == trace)
        .OrderBy(span => span.StartTimeUtc)
        .Select(span => $"{span.DisplayName} {span.GetTagItem("db.query.text") ?? span.GetTagItem("db.statement")}"));


    [GeneratedRegex("\"traceId\":\"[0-9a-f]*\"")]
    private static partial Regex TraceId();
}
