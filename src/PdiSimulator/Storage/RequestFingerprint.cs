using System.Text.Json;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

/// <summary>
/// Identifies a request body under its Idempotency-Key by meaning, not by bytes. A retry may order the members differently or write
/// 150.00 as 150.
/// </summary>
internal static class RequestFingerprint
{
    // Dividing a decimal by 1 at full scale removes its trailing zeros.
    private const decimal OneWithAllDecimals = 1.0000000000000000000000000000m;

    public static string Of<TRequest>(TRequest request) => JsonSerializer.Serialize(
        request is FinalizeRequest finalize
            ? finalize with { FinalAmount = finalize.FinalAmount / OneWithAllDecimals }
            : (object)request!,
        SimulatorJson.Options);
}
