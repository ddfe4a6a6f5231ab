using PdiSimulator.Faults;
using PdiSimulator.OAuth;

namespace PdiSimulator.Calls;

/// <summary>The filters of the wire contract's calls, outermost first.</summary>
internal static class PdiCall
{
    public static void AsTokenCall(this RouteHandlerBuilder call) => call
        .WithMetadata(Operation.Token)
        .AddEndpointFilter<CallCountFilter>()
        .AddEndpointFilter<OutageFilter>()
        .AddEndpointFilter<FaultFilter>();

    // The token check comes first: a call with a stale token must not use up a fault.
    public static void AsPdiCall(this RouteHandlerBuilder call, Operation operation) => call
        .WithMetadata(operation)
        .AddEndpointFilter<CallCountFilter>()
        .AddEndpointFilter<OutageFilter>()
        .AddEndpointFilter<BearerFilter>()
        .AddEndpointFilter<FaultFilter>();

    public static Operation GetOperation(this HttpContext context) =>
        context.GetEndpoint()!.Metadata.OfType<Operation>().Single();
}
