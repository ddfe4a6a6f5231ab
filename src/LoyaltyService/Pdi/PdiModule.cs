using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Observability;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoyaltyService.Pdi;

/// <summary>PDI's client: token, calls, retry and breaker.</summary>
internal static class PdiModule
{
    public static void AddPdi(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddErrors(PdiErrors.All);
        builder.Services.AddFeatureMetrics<PdiMetrics>();
        builder.Services.Configure<ApiDescription>(PdiReference.Describe);
        builder.Services.TryAddSingleton<PdiOptions>();
        builder.Services.TryAddSingleton(CreateHttpClient);
        builder.Services.AddSingleton<PdiHealth>();
        builder.Services.AddSingleton<PdiTokenClient>();
        builder.Services.AddSingleton<PdiTokenProvider>();
        builder.Services.AddSingleton(services => new ConsecutiveFailureBreaker(
            services.GetRequiredService<PdiOptions>(),
            PdiResilience.Judge,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<ConsecutiveFailureBreaker>>()));
        builder.Services.AddSingleton(services => PdiResilience.Create(
            services.GetRequiredService<PdiOptions>(),
            services.GetRequiredService<ConsecutiveFailureBreaker>(),
            services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<PdiClient>();
    }

    private static HttpClient CreateHttpClient(IServiceProvider services)
    {
        var options = services.GetRequiredService<PdiOptions>();
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            // After a DNS failover of PDI, connections follow within this time.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AllowAutoRedirect = false,
            UseCookies = false,
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri(services.GetRequiredService<Settings>().PdiApiUrl.AbsoluteUri.TrimEnd('/') + "/"),
            // Each call has its own budget, body included.
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = options.MaxAnswerBytes,
        };
    }
}
