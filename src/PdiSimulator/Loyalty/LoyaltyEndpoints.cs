using PdiSimulator.Calls;

namespace PdiSimulator.Loyalty;

/// <summary>The four calls of a sale. They read the body themselves, so a malformed one returns an error code.</summary>
internal static class LoyaltyEndpoints
{
    private const string IdempotencyKeyHeader = "Idempotency-Key";

    // Enough for any id or key; the ledger should not store longer ones.
    private const int MaxTextLength = 256;

    public static void MapLoyalty(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/identify", IdentifyAsync).AsPdiCall(Operation.Identify);
        routes.MapPost("/calculateRewards", CalculateRewardsAsync).AsPdiCall(Operation.CalculateRewards);
        routes.MapPost("/finalize", FinalizeAsync).AsPdiCall(Operation.Finalize);
        routes.MapGet("/getSessionStatus", GetSessionStatusAsync).AsPdiCall(Operation.GetSessionStatus);
    }

    private static async Task<Answer> IdentifyAsync(HttpRequest http, IdentifyCustomer identify)
    {
        if (!TryGetKey(http, out var key))
            return Refusals.KeyMissing();

        var (request, mistake) = await SimulatorJson.ReadAsync<IdentifyRequest>(http);

        if (request is null)
            return Answer.InvalidRequest(mistake);

        return IsText(request.CustomerId) && IsText(request.ChannelId) && IsText(request.TransactionId) && IsTextOrNull(request.StoreId)
            ? await identify.RunAsync(request, key)
            : Answer.InvalidRequest($"Ids must have 1 to {MaxTextLength} characters.");
    }

    private static async Task<Answer> CalculateRewardsAsync(HttpRequest http, CalculateRewards calculate)
    {
        var (request, mistake) = await SimulatorJson.ReadAsync<CalculateRewardsRequest>(http);
        return request is null ? Answer.InvalidRequest(mistake) : await calculate.RunAsync(request);
    }

    private static async Task<Answer> FinalizeAsync(HttpRequest http, FinalizeSession finalize)
    {
        if (!TryGetKey(http, out var key))
            return Refusals.KeyMissing();

        var (request, mistake) = await SimulatorJson.ReadAsync<FinalizeRequest>(http);
        return request is null ? Answer.InvalidRequest(mistake) : await finalize.RunAsync(request, key);
    }

    private static async Task<Answer> GetSessionStatusAsync(HttpRequest http, GetSessionStatus status)
    {
        var pdiSessionId = http.Query["pdiSessionId"].ToString();
        return IsText(pdiSessionId)
            ? await status.RunAsync(pdiSessionId)
            : Answer.InvalidRequest($"pdiSessionId must have 1 to {MaxTextLength} characters.");
    }

    private static bool TryGetKey(HttpRequest http, out string key)
    {
        key = http.Headers[IdempotencyKeyHeader].ToString();
        return IsText(key);
    }

    private static bool IsText(string text) => text.Length is > 0 and <= MaxTextLength;

    private static bool IsTextOrNull(string? text) => text is null || IsText(text);
}
