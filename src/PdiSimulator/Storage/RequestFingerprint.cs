using System.Text.Json;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

/// <summary>
/// What makes two bodies the same under one Idempotency-Key: their meaning and not their bytes. A caller that has stored its request
/// and writes it again may order the members differently, or write 150.00 as 150.
/// </summary>
internal static class RequestFingerprint
{
    // Dividing by a one with all the decimals that fit takes the trailing zeros off a decimal.
    private const decimal OneWithAllDecimals = 1.0000000000000000000000000000m;

    public static string Of<TRequest>(TRequest request) => JsonSerializer.Serialize(
        request is FinalizeRequest finalize
            ? finalize with { FinalAmount = finalize.FinalAmount / OneWithAllDecimals }
            : (object)request!,
        SimulatorJson.Options);
}
