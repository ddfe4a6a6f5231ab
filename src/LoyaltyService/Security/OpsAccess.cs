using System.Threading.Channels;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Authorization;

using Use = (string Client, string? Subject, System.Guid Network, string Route, string Outcome);

namespace LoyaltyService.Security;

/// <summary>
/// Writes down who uses the operators' routes, or tries to: one row an hour for each caller, address, route and outcome, so that reading
/// costs no row each. An IPv6 address counts as its network of 64 bits, and the row has the first one seen. Those who are refused are bounded,
/// so that a guesser cannot fill the table; operators are not, so that no guesser can hide what one of them does. In the background: no caller
/// waits for it, and it fails no call.
/// </summary>
internal sealed partial class OpsAccess(AuditTrail audit, TimeProvider clock, ILogger<OpsAccess> logger) : BackgroundService
{
    /// <summary>
    /// Rows that one replica writes in an hour about callers who are not known, and as many again about known ones without the scope: more is
    /// somebody who guesses from many addresses, and says nothing new.
    /// </summary>
    public const int MaxRefusedAnHour = 500;

    /// <summary>Of these, the rows about one address, or one client: there are some thirty routes, and a look at each of them is to be seen.</summary>
    public const int MaxRefusedOfOne = 50;

    /// <summary>A route for operators was called; once an hour for each caller, address and route.</summary>
    public static readonly AuditAction UseOps = new("ops.use");

    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    // Bounded by what is put in: what is refused has its numbers, and an operator has a few ways.
    private readonly Channel<AuditEntry> waiting = Channel.CreateUnbounded<AuditEntry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock gate = new();
    private readonly HashSet<Use> seen = [];
    private readonly Dictionary<(bool IsKnown, string Who), int> refusedOfOne = [];
    private readonly Dictionary<bool, int> refused = [];
    private DateTimeOffset windowEnd;

    /// <summary>After the answer is decided; the caller is known by then, if it is at all.</summary>
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
        // What was noted is written before the end.
        waiting.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var entry in waiting.Reader.ReadAllAsync(CancellationToken.None))
            await audit.TryWriteAsync(entry);
    }

    /// <summary>Nothing but its limit keeps one with the scope from a route; whatever the route answers then, it was used.</summary>
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
        [LoggerMessage(EventName = "OpsAccessNotedNoMore", Level = LogLevel.Error, Message = "Callers were refused at the operators' routes in {count} different ways within the hour; no more of it is noted until {until}, but for operators")]
        public static partial void NotedNoMore(ILogger logger, int count, DateTimeOffset until);
    }
}

internal static class OpsAccessMiddleware
{
    /// <summary>Around authentication, so that it sees who was refused.</summary>
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
