using LoyaltyService.Privacy;

namespace LoyaltyService.Configuration;

/// <summary>
/// <c>user:password@</c> before the host of a URL; both null without it. PostgreSQL's form differs: libpq accepts a user without a password, and parameters
/// with an @.
/// </summary>
internal sealed record UrlCredentials(string? User, [property: Secret] string? Password) : RedactedRecord
{
    /// <summary>Takes them off the front of a URL without its scheme.</summary>
    /// <param name="needsUser">Whether <c>:password@</c> is not enough.</param>
    /// <param name="form">What is wrong with any other form.</param>
    public static Parsed<UrlCredentials> TakeFrom(ref ReadOnlySpan<char> rest, bool needsUser, ParseError form)
    {
        var end = rest.IndexOf('@');
        if (end < 0)
            return new UrlCredentials(null, null);
        var credentials = rest[..end];
        rest = rest[(end + 1)..];
        var colon = credentials.IndexOf(':');
        if (colon < (needsUser ? 1 : 0) || colon == credentials.Length - 1)
            return form;
        return PercentEncoding.Decode(credentials[..colon]) is { } user && PercentEncoding.Decode(credentials[(colon + 1)..]) is { } password
            ? new UrlCredentials(user, password)
            : PercentEncoding.ParseError;
    }
}
