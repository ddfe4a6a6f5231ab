using LoyaltyService.Security;

namespace LoyaltyService.Loyalty;

/// <summary>The business routes.</summary>
internal static class LoyaltyEndpoints
{
    public static void MapLoyalty(this IEndpointRouteBuilder routes)
    {
        var loyalty = routes.MapGroup("/loyalty").RequireAuthorization(Scopes.Loyalty).WithTags("Loyalty");

        loyalty.MapPost("/identify", IdentifyAsync).WithName("identify");
        loyalty.MapPost("/calculate-rewards", CalculateAsync).WithName("calculateRewards");
        loyalty.MapPost("/finalize", FinalizeAsync).WithName("finalize");
        loyalty.MapGet("/sessions/{sessionId}", GetSessionAsync).WithName("getSession");
        loyalty.MapGet("/getSessionStatus", GetSessionAsync).WithName("getSessionStatus");
    }

    private static async Task<Answer<IdentifyResponse>> IdentifyAsync(
        Body<IdentifyRequest> body, HttpContext context, IdentifyCustomer identify, CancellationToken cancellationToken) =>
        body.Rejection is { } rejection ? rejection : await identify.RunAsync(body.Value!, context.Client(), cancellationToken);

    private static async Task<Answer<CalculateRewardsResponse>> CalculateAsync(
        Body<CalculateRewardsRequest> body, HttpContext context, CalculateRewards calculate, CancellationToken cancellationToken)
    {
        if (body.Rejection is { } rejection)
            return rejection;
        return VersionCondition.TryRead(context.Request.Headers.IfMatch, body.Value!.Version, out var condition)
            ? await calculate.RunAsync(body.Value, context.Client(), condition, cancellationToken)
            : InvalidIfMatch();
    }

    private static async Task<Answer<FinalizeResponse>> FinalizeAsync(
        Body<FinalizeRequest> body, HttpContext context, FinalizeSession finalize, CancellationToken cancellationToken)
    {
        if (body.Rejection is { } rejection)
            return rejection;
        return VersionCondition.TryRead(context.Request.Headers.IfMatch, body.Value!.Version, out var condition)
            ? await finalize.RunAsync(body.Value, context.Client(), condition, cancellationToken)
            : InvalidIfMatch();
    }

    private static Task<Answer<SessionResponse>> GetSessionAsync(
        string? sessionId, HttpContext context, GetSessionStatus status, CancellationToken cancellationToken) =>
        status.RunAsync(sessionId, context.Client(), context.Request.Headers.IfNoneMatch, cancellationToken);

    private static Rejection InvalidIfMatch() => Rejection.Validation("If-Match", "must be one entity tag such as \"3\", or *.");
}
