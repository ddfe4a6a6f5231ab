using System.Diagnostics;

namespace LoyaltyService.Observability;

/// <summary>The spans that no library makes for us: Redis, and what the service does without a caller.</summary>
internal static class Tracing
{
    public const string SourceName = "LoyaltyService";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>A command to Redis, as a part of the current trace; null if nobody records it.</summary>
    public static Activity? StartRedis(string command) =>
        Source.HasListeners() && Activity.Current is not null
            ? Source.StartActivity("redis " + command, ActivityKind.Client)?.SetTag("db.system.name", "redis").SetTag("db.operation.name", command)
            : null;

    /// <summary>The commit of a change in PostgreSQL, together with those of other requests, as a part of the current trace; null if nobody records it.</summary>
    public static Activity? StartCommit() =>
        Source.HasListeners() && Activity.Current is not null
            ? Source.StartActivity("postgresql COMMIT", ActivityKind.Client)?.SetTag("db.system.name", "postgresql").SetTag("db.operation.name", "COMMIT")
            : null;

    /// <summary>
    /// A piece of work without a caller: a trace of its own. There is one even if nobody records it, so that the log's lines, the
    /// session's timeline and PDI's requests name the same.
    /// </summary>
    public static Activity StartWork(string name)
    {
        // Whatever started the loop that this work comes from has nothing to do with it.
        Activity.Current = null;
        return Source.StartActivity(name) ?? new Activity(name).SetIdFormat(ActivityIdFormat.W3C).Start();
    }

    /// <summary>Names the trace of the request that caused the work. Its span is not known any more, which a link allows if it says more.</summary>
    public static void LinkTo(this Activity work, string? traceId, string sessionId)
    {
        if (!work.IsAllDataRequested)
            return;
        work.SetTag("loyalty.session_id", sessionId);
        if (traceId is { Length: 32 })
        {
            work.AddLink(new ActivityLink(
                new ActivityContext(ActivityTraceId.CreateFromString(traceId), default, ActivityTraceFlags.None),
                new ActivityTagsCollection { ["loyalty.session_id"] = sessionId }));
        }
    }
}
