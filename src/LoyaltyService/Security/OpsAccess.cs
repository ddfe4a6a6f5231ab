using System.Threading.Channels;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Authorization;

using Use = (string Client, string? Subject, System.Guid Network, string Route, string Outcome);

namespace LoyaltyService.Security;

/// <summary>
/// Audits who uses the operators' routes, or tries to: one row an hour for each caller, address, route and outcome. An IPv6 address counts as
/// its /64 network, and the row shows the first address seen. Rows about rejected callers are limited, so that guessing cannot fill the table.
/// Rows about operators are not, so that guessing cannot hide them. Writes in the background: no call waits for it or fails with it.
/// </summary>
internal sealed partial class OpsAccess(AuditTrail audit, TimeProvider clock, ILogger<OpsAccess> logger) : BackgroundService
{
    /// <summary>
    /// Rows per replica and hour about unknown callers, and as many again about known callers without the scope. Beyond this, a client is guessing
    /// from many addresses, and more rows say nothing new.
    /// </summary>
    public const int MaxRefusedAnHour = 500;

    /// <summary>Of these, rows about one address or client. There are about thirty routes, and an attempt at each should show.</summary>
    public const int MaxRefusedOfOne = 50;

    /// <summary>A call of an operators' route; once an hour for each caller, address and route.</summary>
    public static readonly AuditAction UseOps = new("ops.use");

    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    // Its input is bounded: rejections by the limits above, operators by the number of routes.
    private readonly Channel<AuditEntry> waiting = Channel.CreateUnbounded<AuditEntry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock gate = new();
    private readonly HashSet<Use> seen = [];
    private readonly Dictionary<(bool IsKnown, string Who), int> refusedOfOne = [];
    private readonly Dictionary<bool, int> refused = [];
    private DateTimeOffset windowEnd;

    /// <summary>Call this after the response is decided. By then authentication has run.</summary>
    public void Note(HttpContext context, string route)
    {
        var by = context.Operator();
        var isKnown = context.User.Identity is { IsAuthenticated: true };
        var isOperator = context.User.HasClaim(Scopes.ClaimType, Scopes.Ops);
        var outcome = Outcome(context.Response.StatusCode, isKnown, isOperator);
        Use use = (by.Client, by.Subject, Callers.Of(context.Connection.RemoteIpAddress), route, outcome);
        if (IsToBeWritten(use, isKnown, isOperator))
            waiting.Writer.TryWrite(new AuditEntry(by, UseOps, route, outcome));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Write the queued entries before the process ends.
        waiting.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var entry in waiting.Reader.ReadAllAsync(CancellationToken.None))
            await audit.TryWriteAsync(entry);
    }

    /// <summary>Only the rate limit keeps an operator from a route. Any other response means that the route was used.</summary>
    private static string Outcome(int status, bool isKnown, bool isOperator) => status switch
    {
        StatusCodes.Status429TooManyRequests => HttpErrors.RateLimited.Code,
        _ when isOperator => AuditEntry.Accepted,
        _ when isKnown => HttpErrors.Forbidden.Code,
        StatusCodes.Status503ServiceUnavailable => SecurityErrors.AuthorityUnavailable.Code,
        _ => HttpErrors.Unauthenticated.Code,
    };

    private bool IsToBeWritten(Use use, bool isKnown, bool isOperator)
    {
        lock (gate)
        {
            if (clock.GetUtcNow() >= windowEnd)
            {
                seen.Clear();
                refusedOfOne.Clear();
                refused.Clear();
                windowEnd = clock.GetUtcNow() + Window;
            }

            return !seen.Contains(use) && (isOperator || HasRoom_NeedsLock(use, isKnown)) && seen.Add(use);
        }
    }

    private bool HasRoom_NeedsLock(Use use, bool isKnown)
    {
        var who = (isKnown, isKnown ? use.Client : use.Network.ToString());
        var (ofOne, ofAll) = (refusedOfOne.GetValueOrDefault(who), refused.GetValueOrDefault(isKnown));
        if (ofOne >= MaxRefusedOfOne || ofAll >= MaxRefusedAnHour)
            return false;
        refusedOfOne[who] = ofOne + 1;
        refused[isKnown] = ofAll + 1;
        if (ofAll + 1 == MaxRefusedAnHour)
            Log.NotedNoMore(logger, MaxRefusedAnHour, windowEnd);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "OpsAccessNotedNoMore", Level = LogLevel.Error, Message = "This replica audited {count} rejected calls of operators' routes this hour; it records no more of them until {until}")]
        public static partial void NotedNoMore(ILogger logger, int count, DateTimeOffset until);
    }
}

internal static class OpsAccessMiddleware
{
    /// <summary>Wraps authentication, so that it sees rejected callers.</summary>
    public static void UseOpsAccessAudit(this IApplicationBuilder app) => app.Use(static async (context, next) =>
    {
        if (context.GetEndpoint() is not RouteEndpoint endpoint || !endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(rule => rule.Policy == Scopes.Ops))
        {
            await next(context);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            context.RequestServices.GetRequiredService<OpsAccess>().Note(context, $"{context.Request.Method} {endpoint.RoutePattern.RawText?.TrimEnd('/')}");
        }
    });
}
