using System.Threading.Channels;
using LoyaltyService.Loyalty;
using Microsoft.AspNetCore.Authorization;

namespace LoyaltyService.Security;

/// <summary>
/// Writes down who uses the operators' routes, or tries to: one row an hour for each caller, address, route and outcome, so that reading
/// costs no row each and a guesser cannot fill the table. In the background: no caller waits for it, and it fails no call.
/// </summary>
internal sealed partial class OpsAccess(AuditTrail audit, TimeProvider clock, ILogger<OpsAccess> logger) : BackgroundService
{
    /// <summary>Rows that one replica writes in an hour; operators need some tens, so more is somebody who guesses from many addresses.</summary>
    public const int MaxRowsAnHour = 500;

    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    private readonly Channel<AuditEntry> waiting = Channel.CreateBounded<AuditEntry>(new BoundedChannelOptions(MaxRowsAnHour) { SingleReader = true });
    private readonly HashSet<(string, string?, string, string, string)> seen = [];
    private DateTimeOffset windowEnd;

    /// <summary>After the answer is decided; the caller is known by then, if it is at all.</summary>
    public void Note(HttpContext context, string route)
    {
        var outcome = context.Response.StatusCode switch
        {
            StatusCodes.Status401Unauthorized => ErrorCode.Unauthenticated.Describe().Code,
            StatusCodes.Status403Forbidden => ErrorCode.Forbidden.Describe().Code,
            _ => AuditEntry.Accepted,
        };
        var by = context.Operator();
        if (IsFirst((by.Client, by.Subject, by.Source, route, outcome)))
            waiting.Writer.TryWrite(new AuditEntry(by, AuditActions.UseOps, route, outcome));
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

    private bool IsFirst((string, string?, string, string, string) use)
    {
        lock (seen)
        {
            if (clock.GetUtcNow() >= windowEnd)
            {
                seen.Clear();
                windowEnd = clock.GetUtcNow() + Window;
            }

            if (seen.Count >= MaxRowsAnHour || !seen.Add(use))
                return false;
            if (seen.Count == MaxRowsAnHour)
                Log.NotedNoMore(logger, MaxRowsAnHour, windowEnd);
            return true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventName = "OpsAccessNotedNoMore", Level = LogLevel.Error, Message = "The operators' routes were used in {count} different ways within the hour; no more of it is noted until {until}")]
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
