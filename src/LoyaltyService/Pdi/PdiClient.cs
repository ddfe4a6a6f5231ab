using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polly;

namespace LoyaltyService.Pdi;

/// <summary>
/// The four calls to PDI, each with its path, body and budget: attempts (<see cref="PdiAttempt"/>) until one gives a clean answer. It also
/// decides what to do in doubt.
/// </summary>
internal sealed class PdiClient(
    HttpClient http, PdiTokenProvider tokens, ResiliencePipeline pipeline, PdiHealth health, PdiOptions options, TimeProvider clock)
{
    private readonly PdiAttempt attempt = new(http, tokens, health, clock);

    public Task<PdiResult<PdiIdentity>> IdentifyAsync(PdiIdentifyRequest request, string idempotencyKey) =>
        CallAsync("identify", options.IdentifyBudget, PdiJson.Default.PdiIdentity,
            () => Post("identify", request, PdiJson.Default.PdiIdentifyRequest, idempotencyKey));

    public Task<PdiResult<PdiRewards>> CalculateAsync(PdiCalculateRequest request) =>
        CallAsync("calculateRewards", options.CalculateBudget, PdiJson.Default.PdiRewards,
            () => Post("calculateRewards", request, PdiJson.Default.PdiCalculateRequest, idempotencyKey: null));

    /// <summary>
    /// Finalizes. After an attempt that may have reached PDI without a clean answer, or if <paramref name="inDoubt"/>, checks PDI's own record
    /// first and sends the finalize, under the same key, only if PDI does not have it.
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
                    var result = await attempt.RunAsync("finalize", PdiJson.Default.PdiReceipt,
                        () => Post("finalize", request, PdiJson.Default.PdiFinalizeRequest, idempotencyKey), cancellationToken);
                    // The session may be closed because this intent finalized it and the answer was lost.
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
        attempt.RunAsync("getSessionStatus", PdiJson.Default.PdiSessionState,
            () => new HttpRequestMessage(HttpMethod.Get, "getSessionStatus?pdiSessionId=" + Uri.EscapeDataString(pdiSessionId)), cancellationToken);

    /// <summary>The receipt of a session that PDI has finalized; null if it is open or unknown.</summary>
    private async Task<PdiReceipt?> FindReceiptAsync(string pdiSessionId, CancellationToken cancellationToken) =>
        (await AskStatusAsync(pdiSessionId, cancellationToken)).Value?.Receipt;

    private static readonly MediaTypeHeaderValue Json = new("application/json", "utf-8");

    private static HttpRequestMessage Post<T>(string path, T body, JsonTypeInfo<T> type, string? idempotencyKey)
    {
        // With Content-Length: chunked, a body of a few hundred bytes takes three writes.
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type)) };
        request.Content.Headers.ContentType = Json;
        if (idempotencyKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        return request;
    }

    private Task<PdiResult<T>> CallAsync<T>(
        string operation, TimeSpan budget, JsonTypeInfo<T> type, Func<HttpRequestMessage> createRequest)
        where T : class =>
        WithinBudgetAsync(operation, budget, cancellationToken => attempt.RunAsync(operation, type, createRequest, cancellationToken));

    /// <summary>Runs attempts until one gives a clean answer, the retries are used up, or the budget is spent.</summary>
    private async Task<PdiResult<T>> WithinBudgetAsync<T>(
        string operation, TimeSpan budget, Func<CancellationToken, Task<PdiResult<T>>> attempts)
        where T : class
    {
        using var deadline = new CancellationTokenSource(budget, clock);
        var context = ResilienceContextPool.Shared.Get(deadline.Token);
        context.Properties.Set(PdiResilience.Deadline, clock.GetTimestamp() + (long)(budget.TotalSeconds * clock.TimestampFrequency));
        try
        {
            return await pipeline.ExecuteAsync(static async (context, run) => await run(context.CancellationToken), context, attempts);
        }
        catch (PdiUnavailableException failed)
        {
            failed.Operation = PdiAttempt.LabelOf(operation);
            throw;
        }
        catch (OperationCanceledException late)
        {
            // During a pause between two attempts.
            throw new PdiUnavailableException($"PDI did not answer {operation} in time.", mayHaveReached: true, inner: late) { Operation = PdiAttempt.LabelOf(operation) };
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
