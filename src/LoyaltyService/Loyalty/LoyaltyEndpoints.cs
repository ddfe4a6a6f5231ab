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
/// The business routes. The comments of the handlers are the texts of the API reference, which sees internal members only.
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
    /// One session a client, channel and transaction. The same body again gets the first answer again; another body for the same
    /// transaction is refused.
    /// </remarks>
    /// <response code="200">PDI has identified the customer.</response>
    /// <response code="202">PDI could not be asked. The session is stored and will be identified; go on with the sale, or ask for the session.</response>
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

    /// <summary>Ask what the sale earns</summary>
    /// <remarks>
    /// May be repeated while the basket changes; the last one counts. While PDI cannot be asked the figures are an estimate, and those
    /// that count are the ones that PDI gives at finalize.
    /// </remarks>
    /// <response code="200">The figures, by PDI or estimated: see `source`.</response>
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
    /// Takes effect exactly once, however often it is sent. After a 400 nothing is committed and a corrected body is welcome.
    /// </remarks>
    /// <response code="200">PDI has committed the sale; this is the receipt.</response>
    /// <response code="202">The sale is accepted and PDI will be told; ask for the session, or send the same body again, for the receipt.</response>
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
    /// <remarks>The session as it stands here; PDI is not asked.</remarks>
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
    /// <remarks>The same as `/loyalty/sessions/{sessionId}`, under the name that PDI's interface has for it.</remarks>
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
