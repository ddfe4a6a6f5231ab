using System.Text.Json;
using LoyaltyService.Configuration;

namespace LoyaltyService.Pdi;

/// <summary>Asks PDI's token endpoint (OAuth 2.0 client credentials, RFC 6749 section 4.4) for a token.</summary>
internal sealed class PdiTokenClient(HttpClient http, Settings settings, PdiHealth health, TimeProvider clock)
{
    /// <exception cref="HttpRequestException">The endpoint is unreachable, or rejects the request.</exception>
    /// <exception cref="JsonException">The answer is not a token.</exception>
    /// <exception cref="InvalidOperationException">The response has an unknown character set.</exception>
    public async Task<PdiTokenAnswer> RequestAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var outcome = PdiOutcomes.Failed;
        try
        {
            var answer = await AskAsync(cancellationToken);
            outcome = PdiOutcomes.Ok;
            return answer;
        }
        finally
        {
            health.RequestEnded(PdiOperations.Token, outcome, started);
        }
    }

    private async Task<PdiTokenAnswer> AskAsync(CancellationToken cancellationToken)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"),
            new("client_id", settings.PdiClientId),
            new("client_secret", settings.PdiClientSecret),
        ]);
        using var response = await http.PostAsync("oauth/token", form, cancellationToken);
        response.EnsureSuccessStatusCode();
        var answer = await response.Content.ReadFromJsonAsync(PdiJson.Default.PdiTokenAnswer, cancellationToken)
            ?? throw new JsonException("The token endpoint answered null.");
        return IsToken(answer.AccessToken) ? answer : throw new JsonException("The token endpoint answered with an invalid token.");
    }

    /// <summary>RFC 6749 appendix A.12 without the space, which a header cannot carry.</summary>
    private static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
