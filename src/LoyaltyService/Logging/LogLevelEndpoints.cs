using LoyaltyService.Configuration;
using LoyaltyService.Http;
using LoyaltyService.Security;

namespace LoyaltyService.Logging;

/// <summary>The operators' route to the log. The comments of the handler are the texts of the API reference.</summary>
internal static class LogLevelEndpoints
{
    public static void MapLogLevel(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/ops/log-level").RequireAuthorization(Scopes.Ops).WithTags("Ops").GivesCommonErrors()
            .MapPut("", ChangeAsync).WithName("changeLogLevel");

    /// <summary>Change what is logged</summary>
    /// <remarks>Of the replica that answers, and until it ends; a new process begins with LOG_LEVEL.</remarks>
    /// <response code="200">The level that counts from now on.</response>
    internal static async Task<Answer<LogLevelResponse>> ChangeAsync(Body<LogLevelRequest> body, HttpContext context, ChangeLogLevel change) =>
        body.Rejection is { } rejection ? rejection : await change.RunAsync(body.Value!, context.Operator());
}
