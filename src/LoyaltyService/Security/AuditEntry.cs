using System.Diagnostics;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>One operator action, as the audit records it.</summary>
/// <param name="By">Who did it, and from where.</param>
/// <param name="Action">What the operator did.</param>
/// <param name="Target">The session, finding, job or route that it concerns.</param>
/// <param name="Outcome"><see cref="Done"/>, <see cref="Accepted"/>, or the error code of the rejection.</param>
/// <param name="Detail">The log level, or the operator's reason.</param>
internal sealed record AuditEntry(Operator By, AuditAction Action, string? Target, string Outcome = AuditEntry.Done, [property: Personal] string? Detail = null) : RedactedRecord
{
    public const string Done = "done";
    public const string Accepted = "accepted";

    public Guid Id { get; } = Guid.NewGuid();

    public string? TraceId { get; } = Activity.Current?.TraceId.ToHexString();

    /// <summary>The same action, rejected with this error code.</summary>
    public AuditEntry RefusedWith(string code) => new(By, Action, Target, code, Detail);
}

/// <summary>A kind of operator action. Each feature declares its own as static members and registers them.</summary>
/// <param name="Name">Its name in the audit.</param>
internal sealed record AuditAction(string Name);

/// <summary>A row of the audit, with the id that its page cursor uses.</summary>
internal sealed record AuditRow(Guid Id, AuditItem Action) : RedactedRecord;
