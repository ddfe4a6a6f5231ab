using System.Diagnostics;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>One operator action, as it is written down.</summary>
/// <param name="By">Who, and from where.</param>
/// <param name="Action">One of <see cref="AuditActions"/>.</param>
/// <param name="Target">What it was done to: a session, a finding, a job, a route.</param>
/// <param name="Outcome"><see cref="Done"/>, <see cref="Accepted"/>, or the code of the refusal.</param>
/// <param name="Detail">More, where the action has more: the level, the operator's reason.</param>
internal sealed record AuditEntry(Operator By, string Action, string? Target, string Outcome = AuditEntry.Done, [property: Personal] string? Detail = null) : RedactedRecord
{
    public const string Done = "done";
    public const string Accepted = "accepted";

    public Guid Id { get; } = Guid.NewGuid();

    public string? TraceId { get; } = Activity.Current?.TraceId.ToHexString();

    /// <summary>The same action, which came to nothing.</summary>
    public AuditEntry RefusedWith(string code) => new(By, Action, Target, code, Detail);
}

/// <summary>What operators do.</summary>
internal static class AuditActions
{
    public const string ReplayItem = "queue.replay";
    public const string ResolveItem = "queue.resolve";
    public const string ResolveFinding = "reconciliation.resolve";
    public const string RunJob = "job.run";
    public const string ChangeLogLevel = "log-level.change";
    public const string AnnounceMaintenance = "maintenance.announce";
    public const string CallOffMaintenance = "maintenance.call-off";

    /// <summary>A route for operators was called; once an hour for each caller, address and route.</summary>
    public const string UseOps = "ops.use";

    public static readonly IReadOnlyList<string> All = [ReplayItem, ResolveItem, ResolveFinding, RunJob, ChangeLogLevel, AnnounceMaintenance, CallOffMaintenance, UseOps];
}

/// <summary>A row of the audit, as it is read, and the id that it has in the list.</summary>
internal sealed record AuditRow(Guid Id, AuditItem Action) : RedactedRecord;
