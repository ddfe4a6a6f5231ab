using System.CommandLine;
using LoyaltyService.Configuration;

namespace LoyaltyService.Commands;

/// <summary>
/// <c>healthcheck</c>: the HEALTHCHECK of the image, which contains no other program for it. It runs every 30 s, so it reads only where the
/// service listens and builds no host.
/// </summary>
internal static class HealthCheckCommand
{
    /// <summary>Below the 10 s timeout of the image's HEALTHCHECK.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var command = new DocumentedCommand("healthcheck", "Asks the service on this machine for /health and prints the answer.")
        {
            Variables = [("PORT", "The port of the service."), ("HTTPS_CERTIFICATE", "If it is set, the check uses https."), ("NAME_FILE", "For each NAME above: the path of a file with the value.")],
            Exits = [(0, "The service is healthy."), (ExitCodes.Failed, "It is unhealthy, or does not answer within 5 s."), (ConfigurationException.ExitCode, "The configuration is not usable.")],
        };
        command.SetAction(static parsed => RunAsync(parsed.InvocationConfiguration));
        return command;
    }

    private static async Task<int> RunAsync(InvocationConfiguration invocation)
    {
        var lookup = new VariableLookup(ConfigurationModule.Environment(Environment.GetEnvironmentVariable), ConfigurationModule.ReadFile);
        var port = SettingsReader.ReadPort(lookup);
        if (lookup.Errors.Count > 0)
            throw new ConfigurationException(lookup.Errors);
        var scheme = lookup.IsSet(EnvironmentVariables.HttpsCertificate) ? "https" : "http";
        // The certificate names the public host, not loopback. Only whether the service answers matters here.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var http = new HttpClient(handler) { Timeout = AnswerTimeout };
        try
        {
            using var answer = await http.GetAsync(new Uri($"{scheme}://127.0.0.1:{port}/health"));
            await invocation.Output.WriteLineAsync($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            return answer.IsSuccessStatusCode ? 0 : ExitCodes.Failed;
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or TaskCanceledException)
        {
            await invocation.Error.WriteLineAsync($"Port {port} does not answer: {unreachable.Message}");
            return ExitCodes.Failed;
        }
    }
}
