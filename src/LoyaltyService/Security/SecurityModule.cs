using LoyaltyService.Configuration;
using Microsoft.AspNetCore.Authentication;

namespace LoyaltyService.Security;

/// <summary>Who may call.</summary>
internal static class SecurityModule
{
    public static void AddSecurity(this WebApplicationBuilder builder, Settings settings)
    {
        // Without AddAuthentication's data protection, which keeps a key ring in files for cookies that this service does not have.
        builder.Services.AddAuthenticationCore(authentication => authentication.DefaultScheme = ApiKeyAuthentication.SchemeName);
        builder.Services.AddWebEncoders();
        new AuthenticationBuilder(builder.Services)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, configureOptions: null);
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(Scopes.Loyalty, policy => policy.RequireClaim(Scopes.ClaimType, Scopes.Loyalty))
            .AddPolicy(Scopes.Ops, policy => policy.RequireClaim(Scopes.ClaimType, Scopes.Ops));
    }
}
