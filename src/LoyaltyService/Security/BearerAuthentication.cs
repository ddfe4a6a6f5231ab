using System.Security.Claims;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;

namespace LoyaltyService.Security;

/// <summary>
/// Authenticates callers by a bearer token of JWT_AUTHORITY for JWT_AUDIENCE. A token client and a key of API_KEYS may share a name without
/// being the same caller, so token clients get a prefix. Its colon cannot occur in a key's name. A token with only a subject gets another
/// prefix: a user who can choose a user name must not become a client.
/// </summary>
internal static class BearerAuthentication
{
    public const string SchemeName = "Bearer";

    private const int MaxNameLength = 200;

    // Synchronized clocks differ by less.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    // Only private-key signatures: "none" is no signature, and HMAC would use the public key as a shared secret.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>Avoids AddJwtBearer, which needs the part of AddAuthentication that this service omits.</summary>
    public static void AddBearer(this AuthenticationBuilder authentication, string audience)
    {
        authentication.Services.AddSingleton<Authority>();
        authentication.AddScheme<JwtBearerOptions, JwtBearerHandler>(SchemeName, configureOptions: null);
        authentication.Services.AddOptions<JwtBearerOptions>(SchemeName).Configure<Authority>((bearer, authority) =>
        {
            bearer.ConfigurationManager = authority.Keys;
            bearer.MapInboundClaims = false;
            bearer.SaveToken = false;
            bearer.IncludeErrorDetails = false;
            bearer.TokenValidationParameters = new TokenValidationParameters
            {
                ValidAudience = audience,
                ValidAlgorithms = Algorithms,
                ClockSkew = ClockSkew,
                RequireExpirationTime = true,
                RequireSignedTokens = true,
            };
            bearer.Events = new JwtBearerEvents
            {
                OnMessageReceived = message => HaveKeysAsync(message, authority),
                OnTokenValidated = IdentifyAsync,
                OnAuthenticationFailed = KeepFailureAsync,
                OnChallenge = ChallengeAsync,
            };
        });
    }

    /// <summary>If the request has a key, the key decides, valid or not.</summary>
    public static bool IsFor(HttpContext context) =>
        !context.Request.Headers.ContainsKey(ApiKeyAuthentication.Header)
        && context.Request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);

    /// <summary>Without keys, the handler would reject every token.</summary>
    private static async Task HaveKeysAsync(MessageReceivedContext context, Authority authority)
    {
        try
        {
            await authority.HaveKeysAsync(context.HttpContext.RequestAborted);
        }
        // The manager throws this for any failed fetch, and Authority if too many callers wait.
        catch (InvalidOperationException away)
        {
            context.Fail(new AuthorityAwayException(away));
        }
    }

    private static Task IdentifyAsync(TokenValidatedContext context)
    {
        var claims = context.Principal!;
        var client = Text(claims, "client_id") ?? Text(claims, "azp");
        var subject = Text(claims, "sub");
        if (client is null && subject is null)
        {
            context.Fail("The token names no client.");
            return Task.CompletedTask;
        }

        context.Principal = new ClaimsPrincipal(Caller.Identity(
            SchemeName,
            client is null ? TokenClients.SubjectPrefix + subject : TokenClients.ClientPrefix + client,
            subject == client ? null : subject,
            ScopesOf(claims)));
        return Task.CompletedTask;
    }

    private static string? Text(ClaimsPrincipal claims, string type) =>
        claims.FindFirst(type)?.Value is { Length: > 0 and <= MaxNameLength } value && !value.Any(char.IsControl) ? value : null;

    /// <summary>Accepts both claim names, each as one string with spaces or as a list.</summary>
    private static ApiScopes ScopesOf(ClaimsPrincipal claims)
    {
        var scopes = ApiScopes.None;
        foreach (var name in claims.Claims.Where(claim => claim.Type is "scope" or "scp").SelectMany(claim => claim.Value.Split(' ')))
        {
            scopes |= name switch
            {
                Scopes.Loyalty => ApiScopes.Loyalty,
                Scopes.Ops => ApiScopes.Ops,
                _ => ApiScopes.None,
            };
        }

        return scopes;
    }

    /// <summary>Turns the exception into a result: a bad token is the caller's fault, not a defect.</summary>
    private static Task KeepFailureAsync(AuthenticationFailedContext context)
    {
        context.Fail(context.Exception);
        return Task.CompletedTask;
    }

    private static async Task ChallengeAsync(JwtBearerChallengeContext context)
    {
        if (context.AuthenticateFailure is not AuthorityAwayException)
            return;
        context.HandleResponse();
        await Problems.WriteAsync(context.HttpContext, new Rejection(SecurityErrors.AuthorityUnavailable, "The token cannot be verified.")
        {
            RetryAfter = Authority.Pause,
        });
    }

    /// <summary>Also a result: a probe still works with a token that cannot be verified.</summary>
    private sealed class AuthorityAwayException(Exception inner) : Exception("The authority's keys are unknown.", inner);
}
