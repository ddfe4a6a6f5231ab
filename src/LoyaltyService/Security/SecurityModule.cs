using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace LoyaltyService.Security;

/// <summary>Authentication, authorization and the audit.</summary>
internal static class SecurityModule
{
    public static void AddSecurity(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddErrors(SecurityErrors.All);
        builder.AddCallers(settings);
        builder.AddAudit(settings);
    }

    private static void AddCallers(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddSingleton(new ApiKeyRing(settings.ApiKeys));
        builder.Services.AddHostedService<ApiKeyReload>();
        // AddAuthentication would add data protection, which keeps a key ring on disk for cookies that this service does not use.
        builder.Services.AddAuthenticationCore(authentication => authentication.DefaultScheme = ApiKeyAuthentication.SchemeName);
        builder.Services.AddWebEncoders();
        var authentication = new AuthenticationBuilder(builder.Services);
        authentication.AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(
            ApiKeyAuthentication.SchemeName,
            settings.JwtAuthority is null
                ? null
                : static keys => keys.ForwardDefaultSelector = static context => BearerAuthentication.IsFor(context) ? BearerAuthentication.SchemeName : null);
        if (settings is { JwtAuthority: not null, JwtAudience: { } audience })
            authentication.AddBearer(audience);
        // The handler would log an exception for each bad token. Authority logs what operators need.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Authentication.JwtBearer", LogLevel.None);
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(Scopes.Loyalty, policy => policy.RequireClaim(Scopes.ClaimType, Scopes.Loyalty))
            .AddPolicy(Scopes.Ops, policy => policy.RequireClaim(Scopes.ClaimType, Scopes.Ops))
            // A route without a policy rejects every caller. A path without a route returns 404 to every caller.
            .SetFallbackPolicy(new AuthorizationPolicyBuilder()
                .RequireAssertion(static call => call.Resource is HttpContext http && http.GetEndpoint() is not RouteEndpoint)
                .Build());
    }

    private static void AddAudit(this WebApplicationBuilder builder, Settings settings)
    {
        if (settings.Database is PostgresUrl)
            builder.Services.AddSingleton<IAuditStore, PostgresAuditStore>();
        else
            builder.Services.AddSingleton<IAuditStore, SqliteAuditStore>();
        builder.Services.AddOptions<ApiDescription>().Configure<IEnumerable<AuditAction>>(SecurityReference.Describe);
        builder.Services.AddSingleton(OpsAccess.UseOps);
        builder.Services.AddSingleton<AuditTrail>();
        builder.Services.AddSingleton<OpsAccess>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<OpsAccess>());
    }
}
