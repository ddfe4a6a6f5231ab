using System.Diagnostics;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>One operator action, as it is written down.</summary>
/// <param name="By">Who, and from where.</param>
/// <param name="Action">What was done.</param>
/// <param name="Target">What it was done to: a session, a finding, a job, a route.</param>
/// <param name="Outcome"><see cref="Done"/>, <see cref="Accepted"/>, or the code of the refusal.</param>
/// <param name="Detail">More, where the action has more: the level, the operator's reason.</param>
internal sealed record AuditEntry(Operator By, AuditAction Action, string? Target, string Outcome = AuditEntry.Done, [property: Personal] string? Detail = null) : RedactedRecord
{
    public const string Done = "done";
    public const string Accepted = "accepted";

    public Guid Id { get; } = Guid.NewGuid();

    public string? TraceId { get; } = Activity.Current?.TraceId.ToHexString();

    /// <summary>The same action, which came to nothing.</summary>
    public AuditEntry RefusedWith(string code) => new(By, Action, Target, code, Detail);
}

/// <summary>Something that operators do. Each feature declares its own, as a static member, and registers it.</summary>
/// <param name="Name">As it stands in the audit.</param>
internal sealed record AuditAction(string Name);

/// <summary>A row of the audit, as it is read, and the id that it has in the list.</summary>
internal sealed record AuditRow(Guid Id, AuditItem Action) : RedactedRecord;
