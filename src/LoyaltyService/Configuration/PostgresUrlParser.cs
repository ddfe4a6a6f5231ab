using System.Globalization;
using Npgsql;

namespace LoyaltyService.Configuration;

/// <summary>
/// Reads a PostgreSQL URL as libpq does, so that the URL which works in psql works here. <see cref="Uri"/> knows no list of hosts, and
/// Npgsql reads no URLs. As in libpq the credentials end at the first @ before the first slash. Unlike libpq, an @ further on must be
/// written %40: there it is nearly always the end of a password with an unescaped /, whose middle would be taken for a database name or a
/// parameter, and be printed.
/// </summary>
internal static class PostgresUrlParser
{
    /// <param name="text">The URL without its scheme.</param>
    public static Parsed<DatabaseUrl> Parse(string text)
    {
        var rest = text.AsSpan();
        string? user = null;
        string? password = null;
        if (rest.IndexOfAny('@', '/') is var end and >= 0 && rest[end] == '@')
        {
            var credentials = rest[..end];
            rest = rest[(end + 1)..];
            var colon = credentials.IndexOf(':');
            user = PercentEncoding.Decode(colon < 0 ? credentials : credentials[..colon]);
            password = colon < 0 ? "" : PercentEncoding.Decode(credentials[(colon + 1)..]);
            if (user is null || password is null)
                return PercentEncoding.ParseError;
        }

        if (rest.Contains('@'))
            return new ParseError("must have only one @, between the password and the host; write @ elsewhere as %40, and / in a password as %2F");

        var question = rest.IndexOf('?');
        var parameters = question < 0 ? "" : rest[(question + 1)..];
        if (question >= 0)
            rest = rest[..question];

        var slash = rest.IndexOf('/');
        var database = slash < 0 ? "" : PercentEncoding.Decode(rest[(slash + 1)..]);
        if (database is null)
            return PercentEncoding.ParseError;

        var hosts = new List<HostPort>();
        foreach (var host in (slash < 0 ? rest : rest[..slash]).ToString().Split(','))
        {
            var parsed = HostPort.Parse(host, PostgresUrl.DefaultPort, allowSocket: true);
            if (!parsed.Succeeded)
                return new Parsed<DatabaseUrl>(parsed.Problems);
            hosts.Add(parsed.Value);
        }

        return AddParameters(new PostgresUrl(hosts, NullIfEmpty(user), NullIfEmpty(password), NullIfEmpty(database)), parameters.ToString());
    }

    private static Parsed<DatabaseUrl> AddParameters(PostgresUrl url, string parameters)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var parameter in parameters.Length == 0 ? [] : parameters.Split('&'))
        {
            if (parameter.Split('=') is not [var name, var encoded])
                return new ParseError("must have parameters of the form name=value, separated by &; write = in a value as %3D");
            if (PercentEncoding.Decode(encoded) is not { Length: > 0 } value)
                return encoded.Length == 0 ? new ParseError("must have a value for each parameter") : PercentEncoding.ParseError;

            var parsed = AddParameter(url, name, value);
            if (!parsed.Succeeded)
                return new Parsed<DatabaseUrl>(parsed.Problems);
            if (!seen.Add(name))
                return new ParseError($"must have the parameter {name} only once");
            url = parsed.Value;
        }

        return WithLibpqRules(url);
    }

    private static Parsed<PostgresUrl> AddParameter(PostgresUrl url, string name, string value) => name switch
    {
        "sslmode" => Mode(value) is { } mode
            ? url with { SslMode = mode }
            : new ParseError("must have one of disable, allow, prefer, require, verify-ca, verify-full as sslmode"),
        "sslrootcert" => url with { RootCertificate = value },
        "sslcert" => url with { Certificate = value },
        "sslkey" => url with { Key = value },
        "application_name" => url with { ApplicationName = value },
        // Npgsql's upper limit. Zero, libpq's "for ever", is refused: nothing here waits without a limit.
        "connect_timeout" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 1024
            ? url with { ConnectTimeoutSeconds = seconds }
            : new ParseError("must have whole seconds from 1 to 1024 as connect_timeout"),
        "target_session_attrs" => value is "any" or "read-write" or "read-only" or "primary" or "standby" or "prefer-standby"
            ? url with { TargetSessionAttributes = value }
            : new ParseError("must have one of any, read-write, read-only, primary, standby, prefer-standby as target_session_attrs"),
        "options" => url with { Options = value },
        _ => new ParseError(
            $"has an unknown parameter{(IsWord(name) ? $" {name}" : "")}; known are sslmode, sslrootcert, sslcert, sslkey, application_name, connect_timeout, target_session_attrs, options"),
    };

    /// <summary>
    /// Two rules of libpq about certificates that Npgsql does not have: <c>require</c> with a root certificate checks the server against it
    /// (Npgsql would not look at the certificate at all), and the root certificates of the system go with <c>verify-full</c> only.
    /// </summary>
    private static Parsed<DatabaseUrl> WithLibpqRules(PostgresUrl url)
    {
        if (url.RootCertificate == "system")
        {
            return url.SslMode is null or SslMode.VerifyFull
                ? url with { SslMode = SslMode.VerifyFull, RootCertificate = null }
                : new ParseError("must have sslmode=verify-full with sslrootcert=system");
        }

        return url is { RootCertificate: not null, SslMode: SslMode.Require } ? url with { SslMode = SslMode.VerifyCA } : url;
    }

    private static SslMode? Mode(string value) => value switch
    {
        "disable" => SslMode.Disable,
        "allow" => SslMode.Allow,
        "prefer" => SslMode.Prefer,
        "require" => SslMode.Require,
        "verify-ca" => SslMode.VerifyCA,
        "verify-full" => SslMode.VerifyFull,
        _ => null,
    };

    private static bool IsWord(string name) => name.Length is > 0 and <= 63 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
