namespace PdiSimulator.Calls;

internal static class CallEndpoints
{
    public static void MapCalls(this IEndpointRouteBuilder control)
    {
        control.MapGet("/calls", (CallCounts counts) => counts.ByOperation());
        control.MapGet("/calls/keys", (CallCounts counts) => counts.KeysByOperation());

        control.MapDelete("/calls", (CallCounts counts) =>
        {
            counts.Clear();
            return TypedResults.NoContent();
        });
    }
}
