using LoyaltyService.Security;

namespace LoyaltyService.Sessions;

/// <summary>A decided step of a session: the row as it was, the row as it shall be, and what the timeline will say of it.</summary>
/// <param name="Cause">Who caused it: one of <see cref="Causes"/>.</param>
internal sealed record SessionChange(Session Before, Session After, SessionEvent Event, string Cause)
{
    /// <summary>The sale's amount, if the event has one.</summary>
    public decimal? Amount { get; init; }

    /// <summary>A code that explains the event, and PDI's message where it is stored nowhere else.</summary>
    public string? Detail { get; init; }

    /// <summary>PDI gave other points than the estimate that the till got.</summary>
    public bool IsEstimateCorrected { get; init; }

    /// <summary>The trace that caused the change, for the timeline.</summary>
    public string? TraceId { get; init; }

    /// <summary>The change of the work that waits for PDI; part of the same transaction.</summary>
    public PdiWorkChange Work { get; init; }

    /// <summary>The audit entry, if an operator caused the change; part of the same transaction.</summary>
    public AuditEntry? Audit { get; init; }

    /// <summary>How long owed work belongs to this request; zero if the request does not continue it.</summary>
    public TimeSpan WorkLease { get; init; }
}

/// <summary>What a change does to the session's row in <c>pdi_work</c>.</summary>
internal enum PdiWorkChange
{
    None,

    /// <summary>A call to PDI is owed: the worker takes over if the request dies.</summary>
    Owed,

    /// <summary>No call to PDI is owed any more.</summary>
    Settled,

    /// <summary>PDI was not called, and must not be. Only while the work belongs to its request: a worker that took it over may be calling PDI.</summary>
    Withdrawn,

    /// <summary>Gives up on the owed call. Only while the work is parked, so that no worker is making it.</summary>
    Abandoned,
}

/// <summary>The causes in a timeline.</summary>
internal static class Causes
{
    public const string Request = "request";
    public const string Worker = "worker";
    public const string Job = "job";
    public const string Operator = "operator";
}
