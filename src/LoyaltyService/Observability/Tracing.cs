using System.Diagnostics;

namespace LoyaltyService.Observability;

/// <summary>The spans that no library creates: Redis, and work without a caller.</summary>
internal static class Tracing
{
    public const string SourceName = "LoyaltyService";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>A Redis command in the current trace; null if it is not recorded.</summary>
    public static Activity? StartRedis(string command) =>
        Source.HasListeners() && Activity.Current is not null
            ? Source.StartActivity("redis " + command, ActivityKind.Client)?.SetTag("db.system.name", "redis").SetTag("db.operation.name", command)
            : null;

    /// <summary>A statement that PostgreSQL gets in a batch with other requests', in the current trace; null if it is not recorded.</summary>
    public static Activity? StartTogether(string operation) =>
        Source.HasListeners() && Activity.Current is not null
            ? Source.StartActivity("postgresql " + operation, ActivityKind.Client)?.SetTag("db.system.name", "postgresql").SetTag("db.operation.name", operation)
            : null;

    /// <summary>
    /// Work without a caller gets its own trace. It exists even if it is not recorded, so that log lines, the session's timeline and requests to PDI share an
    /// id.
    /// </summary>
    /// <param name="causedBy">The cause that does not wait for the work, if known.</param>
    public static Activity StartWork(string name, ActivityContext causedBy = default)
    {
        // The activity that started the loop is unrelated.
        Activity.Current = null;
        return Source.StartActivity(ActivityKind.Internal, links: causedBy == default ? null : [new ActivityLink(causedBy)], name: name)
            ?? new Activity(name).SetIdFormat(ActivityIdFormat.W3C).Start();
    }

    /// <summary>The current context, so that later work can link to it.</summary>
    public static ActivityContext Here => Activity.Current?.Context ?? default;

    /// <summary>
    /// Links to the trace of the request that caused the work. The database stores the trace id but no span id; OpenTelemetry allows such a link, with an empty
    /// span id.
    /// </summary>
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
