using System.Text.Json;

namespace PdiSimulator.Faults;

internal enum FaultKind
{
    Latency,
    Status,
    Hang,
    CommitThenHang,
    CommitThenStatus,
    CommitThenReset,
    Reset,
    Cut,
    Drip,
    NotJson,
    MissingMember,
    Reject,
    ExpiredToken,
    ExpiresIn,
}

/// <summary>A fault in its wire format. The README lists what each kind does.</summary>
internal sealed record Fault(
    FaultKind Kind,
    int? LatencyMs = null,
    int? Status = null,
    int? RetryAfterSeconds = null,
    int? Count = null,
    double? Probability = null,
    string? Code = null,
    string? Message = null,
    string? Member = null,
    JsonElement? ExpiresIn = null)
{
    // Ten minutes: far beyond every timeout of a caller, yet a forgotten fault ends.
    private const int MaxLatencyMs = 600_000;

    /// <summary>Returns what makes this fault invalid for <paramref name="target"/>, or null.</summary>
    public string? FindMistake(FaultTarget target) => this switch
    {
        { LatencyMs: < 0 or > MaxLatencyMs } => $"latencyMs must be from 0 to {MaxLatencyMs}.",
        { Status: < 200 or > 599 } => "status must be from 200 to 599.",
        { RetryAfterSeconds: < 0 } => "retryAfterSeconds must not be negative.",
        { Count: < 1 } => "count must be at least 1.",
        { Probability: <= 0 or > 1 } => "probability must be greater than 0 and at most 1.",
        { Kind: FaultKind.ExpiresIn } when !target.IsToken => "expires-in applies only to the token call.",
        { Kind: FaultKind.ExpiredToken } when target.IsToken => "expired-token does not apply to the token call.",
        _ => null,
    };
}
