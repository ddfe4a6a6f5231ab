using System.ComponentModel.DataAnnotations;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Idempotency;
using LoyaltyService.Pdi;
using LoyaltyService.Queue;
using LoyaltyService.RateLimits;
using LoyaltyService.Security;
using LoyaltyService.Sessions;

namespace LoyaltyService.Loyalty;

/// <summary>
/// The business routes. The handlers' comments are the texts of the API reference, which sees internal members only.
/// </summary>
internal static class LoyaltyEndpoints
{
    public static void MapLoyalty(this IEndpointRouteBuilder routes)
    {
        var loyalty = routes.MapGroup("/loyalty").RequireAuthorization(Scopes.Loyalty).WithTags("Loyalty").GivesCommonErrors()
            .CountsForCustomer("sessionId");

        loyalty.MapPost("/identify", IdentifyAsync).WithName("identify")
            .Produces<IdentifyResponse>(StatusCodes.Status202Accepted)
            .Gives(
                PdiErrors.Rejected, SessionErrors.InvalidState, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused,
                PdiErrors.AuthFailed, QueueErrors.Full);
        loyalty.MapPost("/calculate-rewards", CalculateAsync).WithName("calculateRewards")
            .Gives(
                PdiErrors.Rejected, SessionErrors.NotFound, SessionErrors.InvalidState, SessionErrors.VersionConflict,
                SessionErrors.PreconditionFailed, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused, PdiErrors.Unavailable,
                PdiErrors.AuthFailed);
        loyalty.MapPost("/finalize", FinalizeAsync).WithName("finalize")
            .Produces<FinalizeResponse>(StatusCodes.Status202Accepted)
            .Gives(
                LoyaltyErrors.TransactionMismatch, PdiErrors.Rejected, SessionErrors.NotFound, SessionErrors.InvalidState,
                SessionErrors.VersionConflict, SessionErrors.PreconditionFailed, HttpErrors.OperationInProgress, IdempotencyErrors.KeyReused,
                PdiErrors.Unavailable, QueueErrors.Full);
        loyalty.MapGet("/sessions/{sessionId}", GetSessionAsync).WithName("getSession")
            .Produces(StatusCodes.Status304NotModified)
            .Gives(SessionErrors.NotFound);
        loyalty.MapGet("/getSessionStatus", GetSessionStatusAsync).WithName("getSessionStatus")
            .Produces(StatusCodes.Status304NotModified)
            .Gives(HttpErrors.ValidationFailed, SessionErrors.NotFound);
    }

    /// <summary>Start the loyalty session of a sale</summary>
    /// <remarks>
    /// There is one session per client, channel and transaction. Repeating the same body returns the first answer. A different body for the same
    /// transaction is rejected.
    /// </remarks>
    /// <response code="200">PDI has identified the customer.</response>
    /// <response code="202">PDI is unavailable. The session is stored and will be identified later. Continue the sale, or read the session.</response>
    internal static Task<Answer<IdentifyResponse>> IdentifyAsync(
        Body<IdentifyRequest> body, HttpContext context, Operations operations, IdempotentRequests requests, IdentifyCustomer identify, CancellationToken cancellationToken) =>
        operations.RunAsync(OperationKind.Identify, context, async operation =>
        {
            if (body.Rejection is { } rejection)
                return rejection;
            operation.CustomerId = body.Value!.CustomerId;
            return await requests.RunAsync(
                context,
                body.Value,
                () => identify.RunAsync(body.Value, context.Client(), operation, cancellationToken),
                alsoSettledBy: StatusCodes.Status400BadRequest);
        });

    /// <summary>Calculate what the sale earns</summary>
    /// <remarks>
    /// Repeat it when the basket changes; the last one counts. While PDI is unavailable the figures are an estimate. PDI's figures at finalize
    /// are final.
    /// </remarks>
    /// <response code="200">The figures, from PDI or estimated: see `source`.</response>
    internal static Task<Answer<CalculateRewardsResponse>> CalculateAsync(
        Body<CalculateRewardsRequest> body, HttpContext context, Operations operations, IdempotentRequests requests, CalculateRewards calculate, CancellationToken cancellationToken) =>
        operations.RunAsync(OperationKind.Calculate, context, async operation =>
        {
            if (body.Rejection is { } rejection)
                return rejection;
            operation.SessionId = body.Value!.SessionId;
            return VersionCondition.TryRead(context.Request.Headers.IfMatch, body.Value.Version, out var condition)
                ? await requests.RunAsync(context, body.Value, () => calculate.RunAsync(body.Value, context.Client(), condition, operation, cancellationToken))
                : InvalidIfMatch();
        });

    /// <summary>Commit the rewards to the customer's account</summary>
    /// <remarks>
    /// Takes effect exactly once, however often you send it. After a 400 nothing is committed: correct the body and send it again.
    /// </remarks>
    /// <response code="200">PDI has committed the sale; this is the receipt.</response>
    /// <response code="202">The sale is accepted and will be committed at PDI. For the receipt, read the session or send the same body again.</response>
    internal static Task<Answer<FinalizeResponse>> FinalizeAsync(
        Body<FinalizeRequest> body, HttpContext context, Operations operations, IdempotentRequests requests, FinalizeSession finalize, CancellationToken cancellationToken) =>
        operations.RunAsync(OperationKind.Finalize, context, async operation =>
        {
            if (body.Rejection is { } rejection)
                return rejection;
            operation.SessionId = body.Value!.SessionId;
            return VersionCondition.TryRead(context.Request.Headers.IfMatch, body.Value.Version, out var condition)
                ? await requests.RunAsync(context, body.Value, () => finalize.RunAsync(body.Value, context.Client(), condition, operation, cancellationToken))
                : InvalidIfMatch();
        });

    /// <summary>Read a session</summary>
    /// <remarks>Returns the stored session, without calling PDI.</remarks>
    /// <param name="sessionId">From identify.</param>
    /// <response code="200">The session.</response>
    /// <response code="304">The session still has the version in `If-None-Match`.</response>
    internal static Task<Answer<SessionResponse>> GetSessionAsync(
        string? sessionId, HttpContext context, Operations operations, GetSessionStatus status, CancellationToken cancellationToken) =>
        operations.RunAsync(
            OperationKind.GetStatus,
            context,
            operation => status.RunAsync(sessionId, context.Client(), context.Request.Headers.IfNoneMatch, operation, cancellationToken));

    /// <summary>Read a session by query</summary>
    /// <remarks>The same as `/loyalty/sessions/{sessionId}`, under the name that PDI's API uses.</remarks>
    /// <param name="sessionId">From identify.</param>
    /// <response code="200">The session.</response>
    /// <response code="304">The session still has the version in `If-None-Match`.</response>
    internal static Task<Answer<SessionResponse>> GetSessionStatusAsync(
        [Required] string? sessionId, HttpContext context, Operations operations, GetSessionStatus status, CancellationToken cancellationToken) =>
        string.IsNullOrEmpty(sessionId)
            ? operations.RunAsync<SessionResponse>(
                OperationKind.GetStatus, context, static _ => Task.FromResult<Answer<SessionResponse>>(Rejection.Validation("sessionId", "is required.")))
            : GetSessionAsync(sessionId, context, operations, status, cancellationToken);

    private static Rejection InvalidIfMatch() => Rejection.Validation("If-Match", "must be one entity tag such as \"3\", or *.");
}
