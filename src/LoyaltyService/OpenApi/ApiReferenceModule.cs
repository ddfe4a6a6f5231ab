using System.Text.Json.Serialization;
using LoyaltyService.Configuration;
using Scalar.AspNetCore;

namespace LoyaltyService.OpenApi;

/// <summary>
/// The API reference: OpenAPI 3.1 generated from the routes, and a page that shows it. Texts are the XML comments of the handlers and
/// records; errors are declared beside the route with <c>Gives</c>; the shapes of fields and the
/// examples are the tables of this folder. docs/openapi.json is the committed copy.
/// </summary>
internal static class ApiReferenceModule
{
    public static void AddApiReference(this WebApplicationBuilder builder)
    {
        // The bodies have their own strict options (LoyaltyJson); these say the same, so that no schema allows a number in quotes.
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict);
        builder.Services.AddOpenApi(document =>
        {
            document.AddSchemaTransformer(SchemaTransformer.TransformAsync);
            document.AddOperationTransformer(OperationTransformer.TransformAsync);
            document.AddDocumentTransformer(DocumentTransformer.TransformAsync);
        });
    }

    public static void MapApiReference(this WebApplication app)
    {
        IEndpointConventionBuilder[] routes = [app.MapOpenApi(), app.MapScalarApiReference("/docs", ConfigurePage)];
        // Open outside production; in production it is for operators.
        foreach (var route in routes)
        {
            if (app.Services.GetRequiredService<Settings>().Environment is AppEnvironment.Production)
                route.RequireAuthorization(Scopes.Ops);
            else
                route.AllowAnonymous();
        }
    }

    /// <summary>The page works without internet access and contacts no third party: script and styles come from this service.</summary>
    private static void ConfigurePage(ScalarOptions page)
    {
        page.Title = DocumentTransformer.ServiceName;
        page.DefaultFonts = false;
        page.Telemetry = false;
        page.HideClientButton = true;
        page.ShowDeveloperTools = DeveloperToolsVisibility.Never;
        page.Agent = new ScalarAgentOptions { Disabled = true };
        page.Mcp = new ScalarMcpOptions { Disabled = true };
    }
}
