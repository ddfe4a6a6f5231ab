using System.Security.Claims;
using System.Text.Encodings.Web;
using LoyaltyService.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace LoyaltyService.Security;

/// <summary>
/// Knows callers by the secret in <c>X-Api-Key</c>, of which only the hash is configured (<see cref="ApiKeyRing"/>). With no keys and no
/// authority configured, outside production, callers on this machine are the client <c>local</c>.
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
                : AuthenticateResult.Fail("The key is not known.");
        }

        return isOpenToLocalCallers && LocalCaller.Is(Context)
            ? Success(LocalClient, ApiScopes.Loyalty | ApiScopes.Ops)
            : AuthenticateResult.NoResult();
    }

    private static AuthenticateResult Success(string client, ApiScopes scopes) => AuthenticateResult.Success(
        new AuthenticationTicket(new ClaimsPrincipal(Caller.Identity(SchemeName, client, subject: null, scopes)), SchemeName));
}
