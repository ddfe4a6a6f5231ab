using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using LoyaltyService.Configuration;
using LoyaltyService.Observability;
using LoyaltyService.Pdi;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;

namespace LoyaltyService.Benchmarks;

/// <summary>The overhead around each call to a healthy PDI.</summary>
public class PdiBenchmarks
{
    private readonly PdiOptions options = new();
    private ResiliencePipeline pipeline = null!;
    private PdiTokenProvider tokens = null!;

    [GlobalSetup]
    public async Task GetTokenAsync()
    {
        var breaker = new ConsecutiveFailureBreaker(options, PdiResilience.Judge, TimeProvider.System, NullLogger<ConsecutiveFailureBreaker>.Instance);
        pipeline = PdiResilience.Create(options, breaker, TimeProvider.System);
        var settings = SettingsReader.Read(
            new Dictionary<string, string?>
            {
                ["NODE_ENV"] = "development",
                ["PDI_API_URL"] = "http://localhost:1",
                ["PDI_CLIENT_ID"] = "bench",
                ["PDI_CLIENT_SECRET"] = "bench",
            },
            static _ => throw new InvalidOperationException("No file is read."));
        var http = new HttpClient(new TokenEndpoint()) { BaseAddress = new Uri("http://localhost:1") };
        tokens = new(
            new PdiTokenClient(http, settings, new PdiHealth(breaker, new PdiMetrics(new Meter("bench"), new DailyCounts()), TimeProvider.System), TimeProvider.System),
            options, TimeProvider.System, NullLogger<PdiTokenProvider>.Instance);
        await tokens.GetAsync(CancellationToken.None);
    }

    [Benchmark(Description = "retry and breaker, closed")]
    public ValueTask Breaker() => pipeline.ExecuteAsync(static _ => ValueTask.CompletedTask);

    [Benchmark(Description = "read the token")]
    public ValueTask<bool> TokenAsync()
    {
        var token = tokens.GetAsync(CancellationToken.None);
        return new(token.IsCompletedSuccessfully);
    }

    private sealed class TokenEndpoint : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Content = new StringContent("""{"access_token":"token","token_type":"Bearer","expires_in":3600}""", null, "application/json") });
    }
}
