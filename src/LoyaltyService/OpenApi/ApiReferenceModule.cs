using LoyaltyService.Configuration;
using LoyaltyService.Security;
using Scalar.AspNetCore;

namespace LoyaltyService.OpenApi;

/// <summary>The API reference: OpenAPI 3.1 generated from the routes, and a page that shows it.</summary>
internal static class ApiReferenceModule
{
    public static void AddApiReference(this WebApplicationBuilder builder) => builder.Services.AddOpenApi();

    public static void MapApiReference(this WebApplication app)
    {
        IEndpointConventionBuilder[] routes = [app.MapOpenApi(), app.MapScalarApiReference("/docs")];
        // Open outside production; in production it is for operators.
        foreach (var route in routes)
        {
            if (app.Services.GetRequiredService<Settings>().Environment is AppEnvironment.Production)
                route.RequireAuthorization(Scopes.Ops);
        }
    }
}
