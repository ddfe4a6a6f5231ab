using System.Security.Claims;
using LoyaltyService.Configuration;
using LoyaltyService.Privacy;

namespace LoyaltyService.Security;

/// <summary>The caller of an operators' route, for the audit.</summary>
/// <param name="Client">The caller's client.</param>
/// <param name="Subject">Whom the token was issued to, if not the client itself.</param>
/// <param name="Source">The caller's address; on the command line, the machine.</param>
internal sealed record Operator(string Client, [property: Personal] string? Subject, [property: Personal] string Source) : RedactedRecord
{
    /// <summary>An unauthenticated caller.</summary>
    public const string Unknown = "(unknown)";

    /// <summary>A user who can start the program on the service's machine. No key or token can have this name.</summary>
    public static Operator OfCommandLine() => new("(command line)", Environment.UserName, Environment.MachineName);
}

internal static class Caller
{
    private const string SubjectClaim = "subject";

    public static ClaimsIdentity Identity(string scheme, string client, string? subject, ApiScopes scopes)
    {
        var identity = new ClaimsIdentity(scheme);
        identity.AddClaim(new Claim(ClaimTypes.Name, client));
        if (subject is not null)
            identity.AddClaim(new Claim(SubjectClaim, subject));
        if (scopes.HasFlag(ApiScopes.Loyalty))
            identity.AddClaim(new Claim(Scopes.ClaimType, Scopes.Loyalty));
        if (scopes.HasFlag(ApiScopes.Ops))
            identity.AddClaim(new Claim(Scopes.ClaimType, Scopes.Ops));
        return identity;
    }

    /// <summary>The calling client, which owns its sessions: its name in API_KEYS, or the one from <see cref="BearerAuthentication"/>.</summary>
    public static string Client(this HttpContext context) =>
        context.User.Identity?.Name ?? throw new InvalidOperationException("A route that allows anonymous callers asked for the client.");

    public static Operator Operator(this HttpContext context) => new(
        context.User.Identity?.Name ?? Security.Operator.Unknown,
        context.User.FindFirst(SubjectClaim)?.Value,
        context.Connection.RemoteIpAddress is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : "(none)");
}
