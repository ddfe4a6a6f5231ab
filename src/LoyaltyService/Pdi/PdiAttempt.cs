using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LoyaltyService.Pdi;

/// <summary>
/// One attempt at a call to PDI, with token and body. Maps PDI's status codes to one of three results: a value, a business rejection (also a
/// value), or an exception that says whether PDI may have carried out the call.
/// </summary>
internal sealed class PdiAttempt(HttpClient http, PdiTokenProvider tokens, PdiHealth health, TimeProvider clock)
{
    /// <summary>The label of an operation in metrics.</summary>
    public static string LabelOf(string operation) => operation switch
    {
        "identify" => PdiOperations.Identify,
        "calculateRewards" => PdiOperations.Calculate,
        "finalize" => PdiOperations.Finalize,
        _ => PdiOperations.Status,
    };

    /// <summary>Sends the request, and once more with a new token if PDI rejects the first.</summary>
    public async Task<PdiResult<T>> RunAsync<T>(
        string operation, JsonTypeInfo<T> type, Func<HttpRequestMessage> createRequest, CancellationToken cancellationToken)
        where T : class
    {
        for (var resent = false; ; resent = true)
        {
            var token = await GetTokenAsync(operation, cancellationToken);
            using var request = createRequest();
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Value);
            if (await RequestAsync(operation, type, request, cancellationToken) is { } result)
                return result;

            tokens.Invalidate(token);
            if (resent)
                throw new PdiAuthenticationException($"PDI rejected the credentials for {operation} twice. Check PDI_CLIENT_ID and its permissions at PDI.");
        }
    }

    /// <summary>Times one request and its response; null if PDI rejected the token.</summary>
    private async Task<PdiResult<T>?> RequestAsync<T>(
        string operation, JsonTypeInfo<T> type, HttpRequestMessage request, CancellationToken cancellationToken)
        where T : class
    {
        var started = clock.GetTimestamp();
        var outcome = PdiOutcomes.Failed;
        try
        {
            using var response = await SendAsync(operation, request, cancellationToken);
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                return null;
            var result = await ReadAsync(operation, type, response, cancellationToken);
            outcome = result.Rejection is null ? PdiOutcomes.Ok : PdiOutcomes.Rejected;
            return result;
        }
        finally
        {
            health.RequestEnded(LabelOf(operation), outcome, started);
        }
    }

    private async Task<PdiToken> GetTokenAsync(string operation, CancellationToken cancellationToken)
    {
        try
        {
            return await tokens.GetAsync(cancellationToken);
        }
        catch (OperationCanceledException late)
        {
            throw new PdiUnavailableException($"PDI issued no access token within the budget of {operation}.", mayHaveReached: false, inner: late);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string operation, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            // Reads the whole body here, under the same deadline and size limit.
            return await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        }
        catch (OperationCanceledException late)
        {
            throw new PdiUnavailableException($"PDI did not answer {operation} in time.", mayHaveReached: true, inner: late);
        }
        catch (HttpRequestException broken)
        {
            var neverSent = broken.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError;
            throw new PdiUnavailableException($"PDI broke off at {operation}: {broken.Message}", mayHaveReached: !neverSent, inner: broken);
        }
    }

    private async Task<PdiResult<T>> ReadAsync<T>(
        string operation, JsonTypeInfo<T> type, HttpResponseMessage response, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK:
                    return await response.Content.ReadFromJsonAsync(type, cancellationToken)
                        ?? throw new JsonException("The body is null.");
                case HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity:
                    return await response.Content.ReadFromJsonAsync(PdiJson.Default.PdiRejection, cancellationToken)
                        ?? throw new JsonException("The body is null.");
                default:
                    throw new PdiUnavailableException(
                        $"PDI answered {operation} with {(int)response.StatusCode}.", mayHaveReached: true, RetryAfter(response))
                    {
                        IsThrottled = response.StatusCode is HttpStatusCode.TooManyRequests,
                    };
            }
        }
        // InvalidOperationException: an unknown character set.
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new PdiUnavailableException($"PDI's answer to {operation} breaks the contract.", mayHaveReached: true, inner: broken);
        }
    }

    /// <summary>RFC 9110 allows seconds or a date; a past date means no wait.</summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } date } => date > clock.GetUtcNow() ? date - clock.GetUtcNow() : TimeSpan.Zero,
        _ => null,
    };
}
