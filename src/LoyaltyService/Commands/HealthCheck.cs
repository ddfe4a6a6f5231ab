using LoyaltyService.Configuration;

namespace LoyaltyService.Commands;

/// <summary>
/// <c>healthcheck</c>: asks the service on this machine for <c>/health</c>, as the image's HEALTHCHECK; there is no other program in the image
/// that could. Reads only what says where the service listens, and builds no host: it runs every half minute.
/// </summary>
internal static class HealthCheck
{
    /// <summary>Below the 10 s that the image's HEALTHCHECK gives it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync()
    {
        var lookup = new VariableLookup(ConfigurationModule.Environment(Environment.GetEnvironmentVariable), ConfigurationModule.ReadFile);
        var port = SettingsReader.ReadPort(lookup);
        if (lookup.Errors.Count > 0)
            throw new ConfigurationException(lookup.Errors);
        var scheme = lookup.IsSet(EnvironmentVariables.HttpsCertificate) ? "https" : "http";
        // The certificate is made out to the name that callers use. Who answers at loopback is not in question; whether somebody does, is.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var http = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri($"{scheme}://127.0.0.1:{port}/health"));
            await Console.Out.WriteLineAsync($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            return answer.IsSuccessStatusCode ? 0 : ExitCodes.Failed;
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"Port {port} does not answer: {unreachable.Message}");
            return ExitCodes.Failed;
        }
    }
}
