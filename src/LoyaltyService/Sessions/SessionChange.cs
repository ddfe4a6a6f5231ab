using LoyaltyService.Security;

namespace LoyaltyService.Sessions;

/// <summary>A decided step of a session: the row as it was, the row as it shall be, and what the timeline will say of it.</summary>
/// <param name="Cause">Who caused it: one of <see cref="Causes"/>.</param>
internal sealed record SessionChange(Session Before, Session After, SessionEvent Event, string Cause)
{
    /// <summary>The sale's amount, where the event has one.</summary>
    public decimal? Amount { get; init; }

    /// <summary>A code that explains the event, and PDI's words where they are kept nowhere else.</summary>
    public string? Detail { get; init; }

    /// <summary>PDI gave other points than the estimate that the till was told.</summary>
    public bool IsEstimateCorrected { get; init; }

    /// <summary>The trace that caused the change, for the timeline.</summary>
    public string? TraceId { get; init; }

    /// <summary>What the change means for the work that waits for PDI; part of the same transaction.</summary>
    public PdiWorkChange Work { get; init; }

    /// <summary>What the audit will say of it, where an operator caused it; part of the same transaction.</summary>
    public AuditEntry? Audit { get; init; }

    /// <summary>How long work that is owed belongs to this request; zero if it does not go on itself.</summary>
    public TimeSpan WorkLease { get; init; }
}

/// <summary>What a change does to the session's row in <c>pdi_work</c>.</summary>
internal enum PdiWorkChange
{
    None,

    /// <summary>PDI owes the session something: the worker takes over if the request dies.</summary>
    Owed,

    /// <summary>PDI owes the session nothing any more.</summary>
    Settled,

    /// <summary>PDI has not been asked, and shall not be. Only while the work is still the request's own: whoever took it over may be asking.</summary>
    Withdrawn,

    /// <summary>PDI is not asked any more for what it owes. Only while the work is parked: nobody may be at it.</summary>
    Abandoned,
}

/// <summary>The causes that a timeline knows.</summary>
internal static class Causes
{
    public const string Request = "request";
    public const string Worker = "worker";
    public const string Job = "job";
    public const string Operator = "operator";
}
