using System.Globalization;
using System.Net;
using LoyaltyService.Privacy;

namespace LoyaltyService.Configuration;

/// <summary>The server that takes the mails. The forms are described in docs/configuration.md.</summary>
/// <param name="Ssl">TLS from the first byte; otherwise STARTTLS.</param>
internal sealed record SmtpUrl(HostPort Server, bool Ssl, string? User, [property: Secret] string? Password)
{
    // RFC 6409 and RFC 8314: submission, and submission over TLS.
    public const int DefaultPort = 587;
    public const int DefaultSslPort = 465;

    /// <summary>A password goes over the network encrypted only; anything else goes so wherever the server can.</summary>
    public bool RequiresTls => User is not null && !IsLoopback;

    private bool IsLoopback => Server.Host == "localhost" || (IPAddress.TryParse(Server.Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Total: any text gives a URL or a problem, never an exception.</summary>
    public static Parsed<SmtpUrl> Parse(string text)
    {
        if (SchemeSplit.After(text, "smtp://") is { } plain)
            return ParseServer(plain, ssl: false);
        if (SchemeSplit.After(text, "smtps://") is { } secured)
            return ParseServer(secured, ssl: true);
        return new ParseError("must begin with smtp:// or smtps://");
    }

    /// <summary>Where, not who: without user and password.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(Ssl ? "smtps" : "smtp")}://{Server}");

    private static Parsed<SmtpUrl> ParseServer(string text, bool ssl)
    {
        var rest = text.AsSpan();
        var credentials = UrlCredentials.TakeFrom(ref rest, needsUser: true, new ParseError("must have user:password@ before the host, or neither"));
        if (!credentials.Succeeded)
            return new Parsed<SmtpUrl>(credentials.Problems);
        if (rest.Contains('@'))
            return new ParseError("must have only one @, between the password and the host; write @ elsewhere as %40");
        if (rest.ContainsAny('?', '#'))
            return new ParseError("must have no parameters");
        if (rest.EndsWith('/'))
            rest = rest[..^1];
        if (rest.Contains('/'))
            return new ParseError("must end with the host and its port; write / in a password as %2F");

        var server = HostPort.Parse(rest, ssl ? DefaultSslPort : DefaultPort, allowSocket: false);
        return server.Succeeded ? new SmtpUrl(server.Value, ssl, credentials.Value.User, credentials.Value.Password) : new Parsed<SmtpUrl>(server.Problems);
    }
}
