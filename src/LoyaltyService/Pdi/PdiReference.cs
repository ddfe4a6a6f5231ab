using LoyaltyService.Http;

namespace LoyaltyService.Pdi;

internal static class PdiReference
{
    public static void Describe(ApiDescription api) => api.ExampleProblem(new(PdiErrors.Rejected, "PDI says: The customer is not known.")
    {
        PdiCode = "INVALID_CUSTOMER",
        SessionId = "sess_abc123",
    });
}
