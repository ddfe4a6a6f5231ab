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

/// <summary>One way to fail, as it is described on the wire. The README has a table of what each kind does.</summary>
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
    // Ten minutes: far beyond every time budget of the contract, and still the end of a forgotten fault.
    private const int MaxLatencyMs = 600_000;

    /// <summary>What is wrong with this fault for that target, or null.</summary>
    public string? FindMistake(FaultTarget target) => this switch
    {
        { LatencyMs: < 0 or > MaxLatencyMs } => $"latencyMs must be from 0 to {MaxLatencyMs}.",
        { Status: < 200 or > 599 } => "status must be from 200 to 599.",
        { RetryAfterSeconds: < 0 } => "retryAfterSeconds must not be negative.",
        { Count: < 1 } => "count must be at least 1.",
        { Probability: <= 0 or > 1 } => "probability must be more than 0 and at most 1.",
        { Kind: FaultKind.ExpiresIn } when !target.IsToken => "expires-in is a fault of the token call only.",
        { Kind: FaultKind.ExpiredToken } when target.IsToken => "expired-token is a fault of the calls that carry a token.",
        _ => null,
    };
}
