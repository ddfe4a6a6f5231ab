
namespace LoyaltyService.Http;

/// <summary>What every route uses.</summary>
internal static class HttpModule
{
    public static void AddHttp(this WebApplicationBuilder builder)
    {
        builder.Services.AddErrors(HttpErrors.All);
        builder.Services.Configure<ApiDescription>(HttpReference.Describe);
        builder.Services.AddExceptionHandler<ProblemExceptionHandler>();
    }
}
