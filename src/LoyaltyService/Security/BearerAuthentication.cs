using System.Security.Claims;
using LoyaltyService.Configuration;
using LoyaltyService.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;

namespace LoyaltyService.Security;

/// <summary>
/// Knows callers by a bearer token of JWT_AUTHORITY for JWT_AUDIENCE. A client of the authority and a key of API_KEYS may have the same
/// name and need not be the same caller, so clients of tokens are named with a prefix, whose colon no key's name can have; and so that
/// nobody who may choose a user name becomes a client, one who is known by the token's subject alone has another prefix.
/// </summary>
internal static class BearerAuthentication
{
    public const string SchemeName = "Bearer";

    private const int MaxNameLength = 200;

    // Clocks of two machines that are kept.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    // Signatures by a private key alone: "none" is no signature, and HMAC would take the public key for a shared secret.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>Without AddJwtBearer, which wants the part of AddAuthentication that this service leaves out.</summary>
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

    /// <summary>A key, where one is sent, is what counts, right or wrong.</summary>
    public static bool IsFor(HttpContext context) =>
        !context.Request.Headers.ContainsKey(ApiKeyAuthentication.Header)
        && context.Request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);

    /// <summary>Without them the handler would call every token a bad one.</summary>
    private static async Task HaveKeysAsync(MessageReceivedContext context, Authority authority)
    {
        try
        {
            await authority.HaveKeysAsync(context.HttpContext.RequestAborted);
        }
        // What the manager makes of everything that can go wrong with the documents; or too many wait for them.
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

    /// <summary>Either name, as one text with spaces or as a list.</summary>
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

    /// <summary>As a result, not as an exception: whatever is wrong with a token, it is the caller's and no defect.</summary>
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
        await Problems.WriteAsync(context.HttpContext, new Rejection(SecurityErrors.AuthorityUnavailable, "The token cannot be checked.")
        {
            RetryAfter = Authority.Pause,
        });
    }

    /// <summary>As a result too: a probe with a token that nobody can check is still a probe.</summary>
    private sealed class AuthorityAwayException(Exception inner) : Exception("The authority's keys are not known.", inner);
}
