using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using PdiSimulator.Calls;

namespace PdiSimulator.OAuth;

/// <summary>The client credentials grant (RFC 6749), with the client's id and secret in the form.</summary>
internal static class OAuthEndpoints
{
    public static void MapOAuth(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/oauth/token", IssueTokenAsync).AsTokenCall();

    public static void MapTokens(this IEndpointRouteBuilder control) =>
        control.MapPost("/tokens/revoke", (AccessTokens tokens) =>
        {
            tokens.RevokeAll();
            return TypedResults.NoContent();
        });

    private static async Task<Answer> IssueTokenAsync(HttpContext context, AccessTokens tokens, SimulatorOptions options)
    {
        if (!context.Request.HasFormContentType)
            return Refused(StatusCodes.Status400BadRequest, "invalid_request");

        var form = await context.Request.ReadFormAsync(context.RequestAborted);

        if (form["grant_type"] != "client_credentials")
            return Refused(StatusCodes.Status400BadRequest, "unsupported_grant_type");

        if (!Same(form["client_id"], options.ClientId) || !Same(form["client_secret"], options.ClientSecret))
            return Refused(StatusCodes.Status401Unauthorized, "invalid_client");

        return Answer.Json(new TokenResponse(tokens.Issue(), "Bearer", (long)options.TokenLifetime.TotalSeconds));
    }

    private static Answer Refused(int status, string error) => Answer.Json(new TokenRefusal(error), status);

    private static bool Same(string? given, string expected) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given ?? ""), Encoding.UTF8.GetBytes(expected));
}

internal sealed record TokenResponse(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in")] long ExpiresIn);

internal sealed record TokenRefusal(string Error);
