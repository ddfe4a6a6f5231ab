using PdiSimulator.Faults;
using PdiSimulator.OAuth;

namespace PdiSimulator.Calls;

/// <summary>What the calls of the wire contract have in common, outermost first.</summary>
internal static class PdiCall
{
    public static void AsTokenCall(this RouteHandlerBuilder call) => call
        .WithMetadata(Operation.Token)
        .AddEndpointFilter<CallCountFilter>()
        .AddEndpointFilter<OutageFilter>()
        .AddEndpointFilter<FaultFilter>();

    // The token is checked before a fault is taken: a fault armed for one call must not be used up by a caller that has yet to renew.
    public static void AsPdiCall(this RouteHandlerBuilder call, Operation operation) => call
        .WithMetadata(operation)
        .AddEndpointFilter<CallCountFilter>()
        .AddEndpointFilter<OutageFilter>()
        .AddEndpointFilter<BearerFilter>()
        .AddEndpointFilter<FaultFilter>();

    public static Operation GetOperation(this HttpContext context) =>
        context.GetEndpoint()!.Metadata.OfType<Operation>().Single();
}
