using LoyaltyService.Configuration;
using LoyaltyService.Pdi;
using Microsoft.Extensions.DependencyInjection;

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>The service's way to PDI, for a test to close: no connection comes about, so that nothing has reached PDI for certain.</summary>
internal sealed class PdiConnection
{
    private volatile bool isRefused;

    public bool IsRefused
    {
        get => isRefused;
        set => isRefused = value;
    }

    public void StandBetween(IServiceCollection services) => services.AddSingleton(provider => new HttpClient(new Handler(this))
    {
        BaseAddress = provider.GetRequiredService<Settings>().PdiApiUrl,
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = provider.GetRequiredService<PdiOptions>().MaxAnswerBytes,
    });

    private sealed class Handler(PdiConnection connection) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            connection.IsRefused
                ? throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused.")
                : base.SendAsync(request, cancellationToken);
    }
}
