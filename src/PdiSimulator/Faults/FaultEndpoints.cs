using Microsoft.AspNetCore.Http.HttpResults;
using PdiSimulator.Calls;

namespace PdiSimulator.Faults;

/// <summary>Arms and removes faults at run time. Needs no credentials: the simulator must not be exposed.</summary>
internal static class FaultEndpoints
{
    public static void MapFaults(this IEndpointRouteBuilder control)
    {
        var faults = control.MapGroup("/faults");

        faults.MapGet("/", (ArmedFaults armed) => TypedResults.Json(armed.ByTarget(), SimulatorJson.WithoutNulls));
        faults.MapPut("/{operation}", ArmAsync);
        faults.MapDelete("/{operation}", Remove);
        faults.MapDelete("/", RemoveAll);
    }

    public static void MapOutage(this IEndpointRouteBuilder control)
    {
        control.MapGet("/outage", (Outage outage) => new OutageState(outage.IsDown));
        control.MapPut("/outage", SetOutageAsync);
    }

    private static async Task<IResult> ArmAsync(string operation, HttpRequest request, ArmedFaults faults)
    {
        if (!FaultTarget.TryParse(operation, out var target))
            return UnknownOperation(operation);

        var (fault, mistake) = await SimulatorJson.ReadAsync<Fault>(request);
        mistake = fault?.FindMistake(target) ?? mistake;

        return fault is null || mistake.Length > 0
            ? Answer.InvalidRequest(mistake)
            : TypedResults.Json(faults.Arm(target, fault).View(), SimulatorJson.WithoutNulls);
    }

    private static IResult Remove(string operation, ArmedFaults faults)
    {
        if (!FaultTarget.TryParse(operation, out var target))
            return UnknownOperation(operation);

        faults.Remove(target);
        return TypedResults.NoContent();
    }

    private static NoContent RemoveAll(ArmedFaults faults)
    {
        faults.RemoveAll();
        return TypedResults.NoContent();
    }

    private static async Task<Answer> SetOutageAsync(HttpRequest request, Outage outage)
    {
        var (state, mistake) = await SimulatorJson.ReadAsync<OutageState>(request);

        if (state is null)
            return Answer.InvalidRequest(mistake);

        outage.Set(state.Down);
        return Answer.Json(state);
    }

    private static Answer UnknownOperation(string operation) =>
        Answer.Refused(StatusCodes.Status404NotFound, "UNKNOWN_OPERATION", $"There is no operation '{operation}'.");
}

internal sealed record OutageState(bool Down);
