using System.Security.Claims;
using System.Text.Encodings.Web;
using LoyaltyService.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace LoyaltyService.Security;

/// <summary>
/// Authenticates callers by the secret in <c>X-Api-Key</c>. The configuration contains only its hash (<see cref="ApiKeyRing"/>). Outside
/// production, with neither keys nor an authority configured, callers on this machine are the client <c>local</c>.
/// </summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Settings settings, ApiKeyRing keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string Header = "X-Api-Key";

    private const string LocalClient = "local";

    private readonly bool isOpenToLocalCallers =
        settings is { ApiKeys.Count: 0, JwtAuthority: null, Environment: not AppEnvironment.Production };

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

    private AuthenticateResult Authenticate()
    {
        if (Request.Headers.TryGetValue(Header, out var header))
        {
            return keys.Find(header.ToString()) is { } key
                ? Success(key.Client, key.Scopes)
                : AuthenticateResult.Fail("Unknown key.");
        }

        return isOpenToLocalCallers && LocalCaller.Is(Context)
            ? Success(LocalClient, ApiScopes.Loyalty | ApiScopes.Ops)
            : AuthenticateResult.NoResult();
    }

    private static AuthenticateResult Success(string client, ApiScopes scopes) => AuthenticateResult.Success(
        new AuthenticationTicket(new ClaimsPrincipal(Caller.Identity(SchemeName, client, subject: null, scopes)), SchemeName));
}
