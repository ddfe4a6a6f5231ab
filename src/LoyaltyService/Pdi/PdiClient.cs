using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LoyaltyService.Observability;
using Polly;

namespace LoyaltyService.Pdi;

/// <summary>
/// The four calls to PDI. This adapter knows PDI's paths, names and status codes, and sorts every answer into one of three: a value,
/// a business refusal (also a value), or an exception that says whether PDI may have done it.
/// </summary>
internal sealed class PdiClient(
    HttpClient http, PdiTokenProvider tokens, ResiliencePipeline pipeline, PdiHealth health, PdiOptions options, TimeProvider clock)
{
    public Task<PdiResult<PdiIdentity>> IdentifyAsync(PdiIdentifyRequest request, string idempotencyKey) =>
        CallAsync("identify", options.IdentifyBudget, PdiJson.Default.PdiIdentity,
            () => Post("identify", request, PdiJson.Default.PdiIdentifyRequest, idempotencyKey));

    public Task<PdiResult<PdiRewards>> CalculateAsync(PdiCalculateRequest request) =>
        CallAsync("calculateRewards", options.CalculateBudget, PdiJson.Default.PdiRewards,
            () => Post("calculateRewards", request, PdiJson.Default.PdiCalculateRequest, idempotencyKey: null));

    /// <summary>
    /// Finalizes. After any attempt that may have reached PDI without a clean answer, and at once if the caller is
    /// <paramref name="inDoubt"/>, PDI's own record is asked first; only what it does not have is sent again, under the same key.
    /// </summary>
    public async Task<PdiResult<PdiReceipt>> FinalizeAsync(PdiFinalizeRequest request, string idempotencyKey, bool inDoubt)
    {
        try
        {
            return await WithinBudgetAsync("finalize", options.FinalizeBudget, async cancellationToken =>
            {
                if (inDoubt && await FindReceiptAsync(request.PdiSessionId, cancellationToken) is { } earlier)
                    return earlier;
                try
                {
                    var result = await AttemptAsync("finalize", PdiJson.Default.PdiReceipt,
                        () => Post("finalize", request, PdiJson.Default.PdiFinalizeRequest, idempotencyKey), cancellationToken);
                    // Closed may mean: finalized by this very intent, whose answer was lost.
                    return result.Rejection is { IsSessionGone: true } && await FindReceiptAsync(request.PdiSessionId, cancellationToken) is { } lost
                        ? lost
                        : result;
                }
                catch (PdiUnavailableException outcome) when (outcome.MayHaveReached)
                {
                    inDoubt = true;
                    throw;
                }
            });
        }
        catch (PdiUnavailableException last) when (inDoubt && !last.MayHaveReached)
        {
            // The last attempt did not reach PDI; an earlier one may have.
            throw last.AfterOneThatMayHaveReached();
        }
    }

    public Task<PdiResult<PdiSessionState>> GetSessionStatusAsync(string pdiSessionId) =>
        WithinBudgetAsync("getSessionStatus", options.StatusBudget, cancellationToken => AskStatusAsync(pdiSessionId, cancellationToken));

    private Task<PdiResult<PdiSessionState>> AskStatusAsync(string pdiSessionId, CancellationToken cancellationToken) =>
        AttemptAsync("getSessionStatus", PdiJson.Default.PdiSessionState,
            () => new HttpRequestMessage(HttpMethod.Get, "getSessionStatus?pdiSessionId=" + Uri.EscapeDataString(pdiSessionId)), cancellationToken);

    /// <summary>The receipt of a session that PDI has finalized; null if PDI has it open, or does not have it.</summary>
    private async Task<PdiReceipt?> FindReceiptAsync(string pdiSessionId, CancellationToken cancellationToken) =>
        (await AskStatusAsync(pdiSessionId, cancellationToken)).Value?.Receipt;

    private static readonly MediaTypeHeaderValue Json = new("application/json", "utf-8");

    private static HttpRequestMessage Post<T>(string path, T body, JsonTypeInfo<T> type, string? idempotencyKey)
    {
        // With its length: in chunks a body of a few hundred bytes would be three writes.
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type)) };
        request.Content.Headers.ContentType = Json;
        if (idempotencyKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        return request;
    }

    private Task<PdiResult<T>> CallAsync<T>(
        string operation, TimeSpan budget, JsonTypeInfo<T> type, Func<HttpRequestMessage> createRequest)
        where T : class =>
        WithinBudgetAsync(operation, budget, cancellationToken => AttemptAsync(operation, type, createRequest, cancellationToken));

    /// <summary>Runs attempts until one gives a clean answer, the retries are used up, or the time of the whole operation is over.</summary>
    private async Task<PdiResult<T>> WithinBudgetAsync<T>(
        string operation, TimeSpan budget, Func<CancellationToken, Task<PdiResult<T>>> attempt)
        where T : class
    {
        using var deadline = new CancellationTokenSource(budget, clock);
        var context = ResilienceContextPool.Shared.Get(deadline.Token);
        context.Properties.Set(PdiResilience.Deadline, clock.GetTimestamp() + (long)(budget.TotalSeconds * clock.TimestampFrequency));
        try
        {
            return await pipeline.ExecuteAsync(static async (context, run) => await run(context.CancellationToken), context, attempt);
        }
        catch (PdiUnavailableException failed)
        {
            failed.Operation = LabelOf(operation);
            throw;
        }
        catch (OperationCanceledException late)
        {
            // In a pause between two attempts.
            throw new PdiUnavailableException($"PDI did not answer {operation} in time.", mayHaveReached: true, inner: late) { Operation = LabelOf(operation) };
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>One attempt: the request, and once more with another token if PDI refuses the first one.</summary>
    private async Task<PdiResult<T>> AttemptAsync<T>(
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
                throw new PdiAuthenticationException($"PDI refused the credentials for {operation} twice. Check PDI_CLIENT_ID and its permissions at PDI.");
        }
    }

    /// <summary>One request and its answer, timed; null if PDI refused the token.</summary>
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

    private static string LabelOf(string operation) => operation switch
    {
        "identify" => PdiOperations.Identify,
        "calculateRewards" => PdiOperations.Calculate,
        "finalize" => PdiOperations.Finalize,
        _ => PdiOperations.Status,
    };

    private async Task<PdiToken> GetTokenAsync(string operation, CancellationToken cancellationToken)
    {
        try
        {
            return await tokens.GetAsync(cancellationToken);
        }
        catch (OperationCanceledException late)
        {
            throw new PdiUnavailableException($"PDI gave no access token within the time of {operation}.", mayHaveReached: false, inner: late);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string operation, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            // The whole body is read here, under the same deadline and bound.
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
        // InvalidOperationException: a character set that the framework does not know.
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new PdiUnavailableException($"PDI's answer to {operation} is not the contract.", mayHaveReached: true, inner: broken);
        }
    }

    /// <summary>RFC 9110 allows seconds and a date; a date that is past is no wait.</summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } date } => date > clock.GetUtcNow() ? date - clock.GetUtcNow() : TimeSpan.Zero,
        _ => null,
    };
}
