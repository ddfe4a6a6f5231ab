using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using LoyaltyService.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace LoyaltyService.Security;

/// <summary>
/// Knows callers by the secret in <c>X-Api-Key</c>. Only hashes are configured; they are compared in constant time, and all of them
/// are compared, so that the time of a refusal tells nothing. With no keys configured, outside production, callers on this machine
/// are the client <c>local</c>.
/// </summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Settings settings)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string Header = "X-Api-Key";

    private const string LocalClient = "local";

    // Longer than any secret that the service hands out; hashing more would only serve an attacker.
    private const int MaxSecretLength = 256;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

    private AuthenticateResult Authenticate()
    {
        if (Request.Headers.TryGetValue(Header, out var header))
        {
            return header.ToString() is { Length: > 0 and <= MaxSecretLength } secret && Find(secret) is { } key
                ? Success(key.Client, key.Scopes)
                : AuthenticateResult.Fail("The key is not known.");
        }

        var isOpenToLocalCallers = settings.ApiKeys.Count == 0 && settings.JwtAuthority is null && settings.Environment is not AppEnvironment.Production;
        return isOpenToLocalCallers && Context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
            ? Success(LocalClient, ApiScopes.Loyalty | ApiScopes.Ops)
            : AuthenticateResult.NoResult();
    }

    private ApiKey? Find(string secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(secret), hash);
        ApiKey? found = null;
        foreach (var key in settings.ApiKeys)
        {
            if (CryptographicOperations.FixedTimeEquals(key.SecretSha256, hash))
                found = key;
        }

        return found;
    }

    private static AuthenticateResult Success(string client, ApiScopes scopes)
    {
        var identity = new ClaimsIdentity(SchemeName);
        identity.AddClaim(new Claim(ClaimTypes.Name, client));
        if (scopes.HasFlag(ApiScopes.Loyalty))
            identity.AddClaim(new Claim(Scopes.ClaimType, Scopes.Loyalty));
        if (scopes.HasFlag(ApiScopes.Ops))
            identity.AddClaim(new Claim(Scopes.ClaimType, Scopes.Ops));
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }
}
