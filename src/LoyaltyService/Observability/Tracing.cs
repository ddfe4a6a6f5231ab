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

    /// <summary>What is sent to PostgreSQL together with the same of other requests, as a part of the current trace; null if nobody records it.</summary>
    public static Activity? StartTogether(string operation) =>
        Source.HasListeners() && Activity.Current is not null
            ? Source.StartActivity("postgresql " + operation, ActivityKind.Client)?.SetTag("db.system.name", "postgresql").SetTag("db.operation.name", operation)
            : null;

    /// <summary>
    /// A piece of work without a caller: a trace of its own. There is one even if nobody records it, so that the log's lines, the
    /// session's timeline and PDI's requests name the same.
    /// </summary>
    /// <param name="causedBy">What asked for the work and does not wait for it, if that is known.</param>
    public static Activity StartWork(string name, ActivityContext causedBy = default)
    {
        // Whatever started the loop that this work comes from has nothing to do with it.
        Activity.Current = null;
        return Source.StartActivity(ActivityKind.Internal, links: causedBy == default ? null : [new ActivityLink(causedBy)], name: name)
            ?? new Activity(name).SetIdFormat(ActivityIdFormat.W3C).Start();
    }

    /// <summary>What a replica does on behalf of this request or work, so that what it causes can be linked to it.</summary>
    public static ActivityContext Here => Activity.Current?.Context ?? default;

    /// <summary>
    /// Names the trace of the request that caused the work. Of it the database keeps the trace and not the span, which OpenTelemetry
    /// allows of a link that says more: the span's place is empty.
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
