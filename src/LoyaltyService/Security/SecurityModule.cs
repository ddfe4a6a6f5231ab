using LoyaltyService.Configuration;
using Microsoft.AspNetCore.Authentication;

namespace LoyaltyService.Security;

/// <summary>Who may call.</summary>
internal static class SecurityModule
{
    /// <summary>contract: a body is at most 64 KiB.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    public static void AddSecurity(this WebApplicationBuilder builder, Settings settings)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenAnyIP(settings.Port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        });
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
